#include "daemon/destination_ends.h"

#include <fmt/format.h>

#include "base/rights.h"
#include "move/images.h"
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

}  // namespace

Result<std::vector<Endpoint>> DestinationEnds::reserve(const Context& context, const wire::Offer& offer) {
  std::vector<keep::Arriving> arriving;
  for (const wire::Offer::End& offered : offer.ends()) {
    keep::Arriving end;
    SOCKSWAP_TRY(end.former, wire::from_message(offered.tuple()));
    SOCKSWAP_TRY(end.remote, wire::from_message(offered.remote()));
    SOCKSWAP_TRY(end.family, move::family_from_message(offered.family()));
    SOCKSWAP_CHECK(check_is_of(context, offered.peer(), end.remote.address));
    SOCKSWAP_TRY(const Address address, own_address(context, end.former, end.remote));
    end.wanted = {address, end.former.local.port};
    // A 4-tuple that has been here is still known to stateful firewalls, with the sequence numbers of then:
    // they drop what comes of it now as out of the window.
    if (context.history.had({end.wanted, end.remote})) end.wanted.port = 0;
    former_.push_back(end.former);
    remotes_.push_back(end.remote);
    arriving.push_back(end);
  }
  SOCKSWAP_TRY(room_, keep_room(keeper_.alive(), arriving.size()));
  SOCKSWAP_TRY(locals_, keeper_.reserve(id_, arriving));
  return locals_;
}

void DestinationEnds::restore(const wire::Offer& offer,
                              const google::protobuf::RepeatedPtrField<wire::Endpoint>& locals) {
  for (int i = 0; i < offer.ends_size() && i < locals.size(); ++i) {
    const auto former = wire::from_message(offer.ends(i).tuple());
    const auto remote = wire::from_message(offer.ends(i).remote());
    const auto local = wire::from_message(locals.Get(i));
    if (!former || !remote || !local) return;  // these records are this program's own
    former_.push_back(*former);
    remotes_.push_back(*remote);
    locals_.push_back(*local);
  }
  if (auto room = keep_room(keeper_.alive(), locals_.size())) room_ = *std::move(room);
}

Result<> DestinationEnds::rebuild(const wire::Deliver& deliver, const std::vector<Bytes>& queues) {
  return keeper_.rebuild(id_, deliver.images(), queues);
}

std::vector<ArrivedEnd> DestinationEnds::let_go(move::LostEnds& lost, uid_t owner) {
  std::vector<ArrivedEnd> ends;
  room_.clear();
  auto gone = keeper_.let_go(id_, lost, owner);
  if (!gone) {
    for (std::uint32_t i = 0; i < former_.size(); ++i)
      lost.try_emplace(i, Error{ErrorCode::lost, gone.error().text(), "", 0});
    return ends;
  }
  lost.insert(gone->lost.begin(), gone->lost.end());
  for (keep::LetGone::End& end : gone->live)
    if (end.index < former_.size())
      ends.push_back({ForeignFd(std::move(end.fd)),
                      {locals_[end.index], remotes_[end.index]},
                      former_[end.index].local});
  return ends;
}

}  // namespace sockswap::daemon
