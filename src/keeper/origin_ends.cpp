#include "keeper/origin_ends.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include "move/images.h"
#include "socket/reconcile.h"

namespace sockswap::keeper {

Result<OpenEnd> look_at(socket::Kernel& kernel, int fd) {
  OpenEnd end;
  struct stat about {};
  if (::fstat(fd, &about) != 0) return system_failure(errno, "stat a socket");
  end.inode = static_cast<std::uint32_t>(about.st_ino);
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  if (kernel.getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0)
    return system_failure(errno, "read the local address", ErrorCode::not_movable);
  end.family = address.ss_family;
  SOCKSWAP_TRY(end.tuple.local, Endpoint::from_sockaddr(address));
  size = sizeof address;
  if (kernel.getpeername(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0)
    return system_failure(errno, "read the remote address", ErrorCode::not_movable);
  SOCKSWAP_TRY(end.tuple.remote, Endpoint::from_sockaddr(address));
  return end;
}

Result<OriginEnds> OriginEnds::freeze(Environment& environment, std::vector<ForeignFd> fds,
                                      std::uint64_t most_bytes) {
  OriginEnds ends;  // thaws what it holds if the next one fails
  ends.fds_ = std::move(fds);
  std::vector<std::uint32_t> inodes;
  for (const ForeignFd& fd : ends.fds_) {
    SOCKSWAP_TRY(const OpenEnd end, look_at(environment.kernel, fd.get()));
    inodes.push_back(end.inode);
    ends.tuples_.push_back(end.tuple);
  }
  SOCKSWAP_TRY(ends.lock_, environment.frozen.lock(std::move(inodes)));
  std::uint64_t bytes = 0;
  ends.frozen_.reserve(ends.fds_.size());
  for (const ForeignFd& fd : ends.fds_) {
    Fd copy = fd.duplicate();
    if (!copy) return system_failure(errno, "duplicate a descriptor", ErrorCode::no_resources);
    SOCKSWAP_TRY(socket::FrozenEnd frozen, socket::FrozenEnd::freeze(environment.kernel, std::move(copy)));
    ends.frozen_.push_back(std::move(frozen));
    SOCKSWAP_TRY(socket::Image image, ends.frozen_.back().capture());
    bytes += image.received.size() + image.sent.size() + image.unsent.size();
    Captured& captured = ends.captured_.emplace_back();
    captured.position = image.position;
    captured.in_flight = socket::take_in_flight(image);
    captured.image = std::move(image);
  }
  if (bytes > most_bytes)
    return failure(
        ErrorCode::too_large,
        fmt::format("the queues have {} bytes together, with the state more than {} that can travel "
                    "in one move",
                    bytes, wire::Limits{}.attachment_bytes),
        "move fewer ends at once, or less state");
  return ends;
}

Answer OriginEnds::answer() const {
  Answer answer;
  for (const Captured& captured : captured_) {
    auto& end = *answer.reply.mutable_frozen()->add_ends();
    move::to_message(captured.position, *end.mutable_position());
    move::to_message(captured.image, *end.mutable_image());
    answer.attachments.emplace_back(captured.image.received);
    answer.attachments.emplace_back(captured.image.unsent);
    answer.attachments.emplace_back(captured.in_flight);
  }
  return answer;
}

Result<> OriginEnds::release() {
  Result<> outcome;
  for (socket::FrozenEnd& end : frozen_)
    if (auto released = end.release(); !released) outcome = std::move(released);
  frozen_.clear();
  return outcome;
}

Result<> OriginEnds::thaw() {
  Result<> outcome;
  for (socket::FrozenEnd& end : frozen_)
    if (auto thawed = end.thaw(); !thawed) outcome = std::move(thawed);
  frozen_.clear();
  return outcome;
}

}  // namespace sockswap::keeper
