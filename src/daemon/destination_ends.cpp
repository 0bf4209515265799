#include "daemon/destination_ends.h"

#include <fmt/format.h>

#include "move/images.h"
#include "process/sock_diag.h"
#include "socket/route.h"
#include "wire/endpoints.h"

namespace sockswap::daemon {
namespace {

// This host's address for an end that talks to `remote`.
Result<Address> own_address(const Context& context, const FourTuple& former, const Endpoint& remote) {
  if (remote.address.is_loopback()) return former.local.address;  // all three roles are this host's
  for (const Address& address : context.hosts.find(context.self)->addresses)
    if (address.is_v4() == remote.address.is_v4()) return address;
  return failure(ErrorCode::not_movable,
                 fmt::format("{} has no {} address for {}", context.self,
                             remote.address.is_v4() ? "IPv4" : "IPv6", former.text()),
                 "give the host an address of that family in hosts.toml");
}

// An end is rebuilt towards the host that it is said to talk to, and towards nobody else.
Result<> check_is_of(const Context& context, const std::string& host, const Address& address) {
  if (owns(context, host, address)) return {};
  return failure(ErrorCode::not_permitted, fmt::format("{} is not an address of {}", address.text(), host),
                 "do all hosts have the same hosts.toml?");
}

Result<socket::Reservation> reserve_one(const Context& context, int family, const FourTuple& wanted) {
  SOCKSWAP_TRY(const bool taken, process::is_taken(wanted));
  // A 4-tuple that has been here is still known to stateful firewalls, with the sequence numbers of then:
  // they drop what comes of it now as out of the window.
  if (!taken && !context.history.had(wanted)) {
    auto same_port = socket::reserve(context.kernel, family, wanted.local, wanted.remote);
    if (same_port) return same_port;
  }
  return socket::reserve(context.kernel, family, Endpoint{wanted.local.address, 0}, wanted.remote);
}

}  // namespace

Result<std::vector<Endpoint>> DestinationEnds::reserve(const Context& context, const wire::Offer& offer) {
  for (const wire::Offer::End& end : offer.ends()) {
    SOCKSWAP_TRY(const FourTuple former, wire::from_message(end.tuple()));
    SOCKSWAP_TRY(const Endpoint remote, wire::from_message(end.remote()));
    SOCKSWAP_TRY(const int family, move::family_from_message(end.family()));
    SOCKSWAP_CHECK(check_is_of(context, end.peer(), remote.address));
    SOCKSWAP_TRY(const Address address, own_address(context, former, remote));
    SOCKSWAP_CHECK(socket::check_route(context.kernel, {{address, 0}, remote}));
    SOCKSWAP_TRY(socket::Reservation reservation,
                 reserve_one(context, family, {Endpoint{address, former.local.port}, remote}));
    former_.push_back(former);
    remotes_.push_back(remote);
    families_.push_back(family);
    locals_.push_back(reservation.local);
    reservations_.push_back(std::move(reservation));
  }
  return locals_;
}

Result<> DestinationEnds::rebuild(socket::Kernel& kernel, const wire::Deliver& deliver,
                                  std::vector<Bytes> queues) {
  const std::size_t count = reservations_.size();
  if (static_cast<std::size_t>(deliver.images_size()) != count || queues.size() != 2 * count)
    return failure(ErrorCode::disagreement, fmt::format("{} images and {} queues for {} ends",
                                                        deliver.images_size(), queues.size(), count));
  std::vector<socket::DormantEnd> dormant;
  for (std::size_t i = 0; i < count; ++i) {
    SOCKSWAP_TRY(const socket::Image image,
                 move::from_message(deliver.images(static_cast<int>(i)), std::move(queues[2 * i]),
                                    std::move(queues[2 * i + 1])));
    if (image.family != families_[i] || image.tuple != former_[i])
      return failure(ErrorCode::disagreement, fmt::format("the image isn't of {}", former_[i].text()));
    SOCKSWAP_TRY(socket::DormantEnd end,
                 socket::rebuild(kernel, std::move(reservations_[i]), image, remotes_[i]));
    dormant.push_back(std::move(end));
  }
  reservations_.clear();
  dormant_ = std::move(dormant);
  return {};
}

std::vector<ArrivedEnd> DestinationEnds::let_go(move::LostEnds& lost) {
  std::vector<ArrivedEnd> ends;
  for (std::uint32_t i = 0; i < dormant_.size(); ++i) {
    if (lost.contains(i)) continue;
    auto fd = dormant_[i].thaw();
    if (fd)
      ends.push_back({ForeignFd(std::move(*fd)), {locals_[i], remotes_[i]}, former_[i].local});
    else
      lost[i] = {ErrorCode::lost,
                 fmt::format("{} could not be thawed: {}", former_[i].text(), fd.error().text()), "", 0};
  }
  dormant_.clear();
  return ends;
}

void DestinationEnds::drop() {
  dormant_.clear();
  reservations_.clear();
}

}  // namespace sockswap::daemon
