#include "daemon/origin_ends.h"

#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>

#include "wire/parcel.h"

namespace sockswap::daemon {

std::uint64_t OriginEnds::outstanding() const {
  std::uint64_t sum = 0;
  for (const ForeignFd& fd : fds_) {
    tcp_info info{};
    socklen_t size = sizeof info;
    if (::getsockopt(fd.get(), IPPROTO_TCP, TCP_INFO, &info, &size) != 0) continue;
    sum += info.tcpi_notsent_bytes + std::uint64_t{info.tcpi_unacked} * info.tcpi_snd_mss;
  }
  return sum;
}

Result<std::vector<socket::Position>> OriginEnds::freeze(std::uint64_t state_bytes) {
  std::vector<int> fds;
  for (const ForeignFd& fd : fds_) fds.push_back(fd.get());
  const std::uint64_t most = wire::Limits{}.attachment_bytes;
  SOCKSWAP_TRY(frozen_, keeper_.freeze_moving(id_, fds, most - std::min(most, state_bytes)));
  std::vector<socket::Position> positions;
  for (const keep::FrozenMoving& end : frozen_) positions.push_back(end.position);
  return positions;
}

std::vector<Bytes> OriginEnds::take_in_flight(const wire::Hold& hold) {
  std::vector<Bytes> attachments;
  for (const wire::Hold::End& end : hold.ends())
    attachments.push_back(std::exchange(frozen_.at(end.index()).in_flight, {}));
  return attachments;
}

std::vector<Bytes> OriginEnds::compose_deliver(wire::Deliver& deliver) {
  std::vector<Bytes> attachments;
  for (keep::FrozenMoving& end : frozen_) {
    *deliver.add_images() = std::move(end.image);
    attachments.push_back(std::exchange(end.received, {}));
    attachments.push_back(std::exchange(end.unsent, {}));
  }
  return attachments;
}

Result<> OriginEnds::release() {
  auto released = keeper_.release_moving(id_);
  fds_.clear();
  return released;
}

Result<> OriginEnds::thaw() {
  auto thawed = keeper_.thaw_moving(id_);
  fds_.clear();
  return thawed;
}

}  // namespace sockswap::daemon
