#include "keeper/destination_ends.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>

#include "base/log.h"
#include "move/images.h"
#include "process/sock_diag.h"
#include "socket/route.h"
#include "wire/endpoints.h"

namespace sockswap::keeper {
namespace {

Result<socket::Reservation> reserve_one(Environment& environment, int family, const FourTuple& wanted) {
  SOCKSWAP_TRY(const bool taken, process::is_taken(wanted));
  if (!taken) {
    auto same_port = socket::reserve(environment.kernel, family, wanted.local, wanted.remote);
    if (same_port) return same_port;
  }
  return socket::reserve(environment.kernel, family, Endpoint{wanted.local.address, 0}, wanted.remote);
}

}  // namespace

void give_to(uid_t owner, int fd) {
  if (::fchown(fd, owner, static_cast<gid_t>(-1)) != 0)
    log::warn("the socket of an arrived end stays root's: {}", system_error(errno, "fchown").text());
}

Result<DestinationEnds> DestinationEnds::reserve(Environment& environment,
                                                 const wire::keeper::Reserve& request) {
  if (request.ends().empty() || request.ends_size() > most_ends)
    return failure(ErrorCode::too_large, fmt::format("{} ends to be reserved", request.ends_size()));
  DestinationEnds ends;
  ends.request_ = request.SerializeAsString();
  for (const auto& end : request.ends()) {
    SOCKSWAP_TRY(const FourTuple former, wire::from_message(end.former()));
    SOCKSWAP_TRY(const Endpoint wanted, wire::from_message(end.wanted()));
    SOCKSWAP_TRY(const Endpoint remote, wire::from_message(end.remote()));
    SOCKSWAP_TRY(const int family, move::family_from_message(end.family()));
    SOCKSWAP_CHECK(environment.addresses.check_pair(wanted.address, remote.address));
    SOCKSWAP_CHECK(socket::check_route(environment.kernel, {{wanted.address, 0}, remote}));
    SOCKSWAP_TRY(socket::Reservation reservation, reserve_one(environment, family, {wanted, remote}));
    ends.former_.push_back(former);
    ends.remotes_.push_back(remote);
    ends.families_.push_back(family);
    ends.locals_.push_back(reservation.local);
    ends.reservations_.push_back(std::move(reservation));
  }
  return ends;
}

Answer DestinationEnds::reserved() const {
  Answer answer;
  answer.reply.mutable_reserved();
  for (const Endpoint& local : locals_)
    wire::to_message(local, *answer.reply.mutable_reserved()->add_locals());
  return answer;
}

bool DestinationEnds::is_for(const wire::keeper::Reserve& request) const {
  return request.SerializeAsString() == request_;
}

Result<> DestinationEnds::rebuild(Environment& environment, const wire::keeper::Rebuild& request,
                                  std::vector<Bytes> queues) {
  const std::size_t count = reservations_.size();
  if (static_cast<std::size_t>(request.images_size()) != count || queues.size() != 2 * count)
    return failure(ErrorCode::disagreement, fmt::format("{} images and {} queues for {} ends",
                                                        request.images_size(), queues.size(), count));
  for (std::size_t i = 0; i < count; ++i) {
    SOCKSWAP_TRY(const socket::Image image,
                 move::from_message(request.images(static_cast<int>(i)), std::move(queues[2 * i]),
                                    std::move(queues[2 * i + 1])));
    if (image.family != families_[i] || image.tuple != former_[i])
      return failure(ErrorCode::disagreement, fmt::format("the image isn't of {}", former_[i].text()));
    SOCKSWAP_TRY(socket::DormantEnd end,
                 socket::rebuild(environment.kernel, std::move(reservations_[i]), image, remotes_[i]));
    dormant_.push_back(std::move(end));
  }
  reservations_.clear();
  stage_ = keep::Stage::rebuilt;
  return {};
}

Answer DestinationEnds::let_go(const wire::keeper::LetGo& request) {
  for (std::uint32_t i = 0; i < dormant_.size(); ++i) {
    if (std::ranges::find(request.lost(), i) != request.lost().end()) continue;
    auto fd = dormant_[i].thaw();
    if (fd) {
      give_to(request.owner(), fd->get());
      live_.emplace(i, ForeignFd(std::move(*fd)));
    } else {
      lost_[i] = {ErrorCode::lost,
                  fmt::format("{} could not be thawed: {}", former_[i].text(), fd.error().text()), "", 0};
    }
  }
  dormant_.clear();
  stage_ = keep::Stage::let_go;
  Answer answer;
  wire::keeper::Gone& gone = *answer.reply.mutable_gone();
  for (const auto& [index, fd] : live_) {
    gone.add_live(index);
    answer.fds.push_back(fd.get());
  }
  move::to_message(lost_, *gone.mutable_lost());
  return answer;
}

}  // namespace sockswap::keeper
