#include "daemon/peer_ends.h"

#include <fmt/format.h>

#include <algorithm>

#include "move/images.h"
#include "wire/endpoints.h"

namespace sockswap::daemon {
namespace {

// Only the other end of a connection may have it re-pointed: its host's certificate must cover the address.
Result<> check_permitted(const Context& context, const std::string& asking, const FourTuple& tuple) {
  const Address& other = tuple.remote.address;
  if (asking == context.self && other.is_loopback()) return {};
  if (context.mesh.covers(asking, other)) return {};
  return failure(ErrorCode::not_permitted,
                 fmt::format("{}: the certificate of {} doesn't cover {}, its other end", tuple.text(),
                             asking, other.text()),
                 "`sockswap cluster add` with all of the host's addresses makes one that does");
}

// Where an end is to be re-pointed to: from an address of this host to one of the destination. (The keeper
// sees to it that there is a way, and that nothing else here has the 4-tuple.)
Result<> check_place(const Context& context, const std::string& destination, const FourTuple& tuple,
                     const FourTuple& place) {
  const bool from_here = place.local == tuple.local || (place.local.port == tuple.local.port &&
                                                        owns(context, context.self, place.local.address));
  if (from_here && owns(context, destination, place.remote.address)) return {};
  return failure(ErrorCode::not_permitted,
                 fmt::format("{} is to be re-pointed to {}, which is not between {} and {}", tuple.text(),
                             place.text(), context.self, destination),
                 "do all hosts have the same hosts.toml?");
}

}  // namespace

Result<> PeerEnds::find(const Context& context, const std::string& asking, const wire::Find& find) {
  if (find.ends_size() > most_ends)
    return failure(ErrorCode::too_large, fmt::format("asked to find {} ends in one move", find.ends_size()),
                   fmt::format("{} are possible: make several moves of it", most_ends));
  const auto naming = [&] { return "the staying end on " + context.self; };
  for (const wire::Find::End& sought : find.ends()) {
    auto tuple = wire::from_message(sought.tuple());
    if (!tuple) return failure(std::move(tuple).error().while_doing(naming()));
    if (auto permitted = check_permitted(context, asking, *tuple); !permitted)
      return failure(std::move(permitted).error().while_doing(naming()));
    ends_.push_back({.index = sought.index(), .tuple = *tuple});
  }
  if (ends_.empty()) return failure(ErrorCode::usage, "asked to find no end at all");
  if (auto found = keeper_.find(id_, ends_); !found)
    return failure(std::move(found).error().while_doing(naming()));
  return {};
}

void PeerEnds::restore(const wire::Find& find) {
  for (const wire::Find::End& sought : find.ends())
    if (auto tuple = wire::from_message(sought.tuple()))
      ends_.push_back({.index = sought.index(), .tuple = *tuple});
}

Result<keep::HeldStaying> PeerEnds::hold(const Context& context, const std::string& destination,
                                         const wire::Hold& hold, bool arbiter,
                                         const std::vector<Bytes>& in_flight) {
  if (static_cast<std::size_t>(hold.ends_size()) != in_flight.size())
    return failure(ErrorCode::disagreement, "Hold doesn't say of each end what is in flight");
  std::vector<keep::Holding> holding;
  for (const wire::Hold::End& asked : hold.ends()) {
    const auto end = std::ranges::find(ends_, asked.index(), &keep::Sought::index);
    if (end == ends_.end())
      return failure(ErrorCode::disagreement, "asked to hold another end than was found");
    FourTuple place;
    SOCKSWAP_TRY(place.local, wire::from_message(asked.new_local()));
    SOCKSWAP_TRY(place.remote, wire::from_message(asked.new_remote()));
    SOCKSWAP_CHECK(check_place(context, destination, end->tuple, place));
    holding.push_back({.index = end->index,
                       .moving = move::from_message(asked.moving()),
                       .new_local = place.local,
                       .new_remote = place.remote,
                       .in_flight = in_flight[holding.size()]});
  }
  return keeper_.hold(id_, arbiter ? keep::Arbiter::here : keep::Arbiter::elsewhere, holding);
}

std::optional<move::LostEnds> PeerEnds::swap() {
  auto swapped = keeper_.swap(id_);
  if (swapped && swapped->undone_already) return std::nullopt;
  if (swapped) return std::move(swapped->lost);
  move::LostEnds lost;
  for (const keep::Sought& end : ends_)
    lost.emplace(end.index, Error{ErrorCode::lost, swapped.error().text(), "", 0});
  return lost;
}

Result<> PeerEnds::resume() { return keeper_.resume(id_); }

Result<> PeerEnds::thaw() {
  SOCKSWAP_TRY(const keep::Undone undone, keeper_.undo(id_));
  if (undone.swapped_already) SOCKSWAP_CHECK(keeper_.resume(id_));
  return keeper_.forget(id_);
}

std::vector<FourTuple> PeerEnds::tuples() const {
  std::vector<FourTuple> tuples;
  for (const keep::Sought& end : ends_) tuples.push_back(end.tuple);
  return tuples;
}

}  // namespace sockswap::daemon
