#include "keeper/destinations.h"

#include "wire/endpoints.h"

namespace sockswap::keeper {
namespace {

tl::unexpected<Error> not_kept() {
  return failure(ErrorCode::not_found, "the keeper has no arriving ends of this move");
}

}  // namespace

Result<Answer> Destinations::reserve(const move::MoveId& id, const wire::keeper::Reserve& request) {
  if (const auto known = moves_.find(id); known != moves_.end()) {
    if (!known->second.is_for(request))
      return failure(ErrorCode::usage, "other ends are reserved for this move already");
    return known->second.reserved();
  }
  if (moves_.size() >= most_moves) return failure(ErrorCode::no_resources, "too many moves at once");
  SOCKSWAP_TRY(DestinationEnds ends, DestinationEnds::reserve(environment_, request));
  return moves_.emplace(id, std::move(ends)).first->second.reserved();
}

Result<Answer> Destinations::rebuild(const move::MoveId& id, const wire::keeper::Rebuild& request,
                                     std::vector<Bytes> queues) {
  const auto known = moves_.find(id);
  if (known == moves_.end()) return not_kept();
  if (known->second.stage() != keep::Stage::reserved) return done();
  if (auto rebuilt = known->second.rebuild(environment_, request, std::move(queues)); !rebuilt) {
    moves_.erase(known);
    return failure(std::move(rebuilt).error());
  }
  return done();
}

Result<Answer> Destinations::let_go(const move::MoveId& id, const wire::keeper::LetGo& request) {
  const auto known = moves_.find(id);
  if (known == moves_.end()) return not_kept();
  if (known->second.stage() == keep::Stage::reserved)
    return failure(ErrorCode::usage, "ends that aren't rebuilt can't be let go");
  return known->second.let_go(request);
}

Result<Answer> Destinations::handed_over(const move::MoveId& id) {
  const auto known = moves_.find(id);
  if (known == moves_.end()) return done();
  if (known->second.stage() != keep::Stage::let_go)
    return failure(ErrorCode::usage, "ends that aren't let go can't have been handed over");
  moves_.erase(known);
  return done();
}

Result<Answer> Destinations::drop(const move::MoveId& id) {
  const auto known = moves_.find(id);
  if (known == moves_.end()) return done();
  if (known->second.stage() == keep::Stage::let_go)
    return failure(ErrorCode::usage, "ends that are let go are their program's");
  moves_.erase(known);
  return done();
}

void Destinations::list(wire::keeper::Kept& kept) const {
  for (const auto& [id, ends] : moves_) {
    auto& out = *kept.add_moves();
    out.set_move_id(id.bytes());
    out.set_role(wire::DESTINATION);
    out.set_stage(static_cast<std::uint32_t>(ends.stage()));
    for (const FourTuple& tuple : ends.former()) wire::to_message(tuple, *out.add_ends());
  }
}

}  // namespace sockswap::keeper
