#include "keeper/peers.h"

#include <algorithm>

#include "base/log.h"
#include "wire/endpoints.h"

namespace sockswap::keeper {
namespace {

// A find that no hold follows has been forgotten by everybody else: a move has 10 s, a peer's daemon waits
// for 15.
constexpr std::chrono::seconds find_limit{60};
// How many moves that are over are remembered, and for how long at least: a daemon that comes back asks at
// once.
constexpr std::size_t most_past = 4096;
constexpr std::chrono::hours past_limit{1};

tl::unexpected<Error> not_kept() {
  return failure(ErrorCode::not_found, "the keeper has no staying ends of this move");
}

Answer swapped(const move::LostEnds& lost) {
  Answer answer;
  move::to_message(lost, *answer.reply.mutable_swapped()->mutable_lost());
  return answer;
}

Answer swapped_already(const move::LostEnds& lost) {
  Answer answer;
  answer.reply.mutable_undone()->set_swapped_already(true);
  move::to_message(lost, *answer.reply.mutable_undone()->mutable_lost());
  return answer;
}

Answer undone() {
  Answer answer;
  answer.reply.mutable_undone();
  return answer;
}

}  // namespace

Result<Answer> Peers::find(const move::MoveId& id, const wire::keeper::Find& request) {
  if (past_.contains(id)) return failure(ErrorCode::usage, "this move is over");
  if (const auto known = moves_.find(id); known != moves_.end()) {
    if (!known->second.ends.is_for(request))
      return failure(ErrorCode::usage, "other ends were found for this move already");
    return done();
  }
  if (moves_.size() >= most_moves) return failure(ErrorCode::no_resources, "too many moves at once");
  SOCKSWAP_TRY(PeerEnds ends, PeerEnds::find(environment_, request));
  moves_.emplace(id, Move{.ends = std::move(ends), .arbiter = false, .since = Clock::now()});
  return done();
}

Result<Answer> Peers::hold(const move::MoveId& id, const wire::keeper::Hold& request,
                           const std::vector<Bytes>& in_flight) {
  if (const auto past = past_.find(id); past != past_.end())
    return past->second.stage == keep::Stage::undone
               ? failure(ErrorCode::timed_out, "the hold has been undone")
               : failure(ErrorCode::usage, "this move is over");
  const auto known = moves_.find(id);
  if (known == moves_.end()) return not_kept();
  Move& move = known->second;
  if (move.ends.stage() != keep::Stage::found) return move.ends.held();
  if (auto held = move.ends.hold(environment_, request, in_flight); !held) {
    if (auto undone = move.ends.undo(environment_); !undone)
      log::error("move {}: a staying end could not be thawed: {}", id.text(), undone.error().text());
    moves_.erase(known);
    return failure(std::move(held).error());
  }
  move.arbiter = request.arbiter();
  move.since = Clock::now();
  return move.ends.held();
}

Result<Answer> Peers::swap(const move::MoveId& id) {
  if (const auto past = past_.find(id); past != past_.end()) {
    if (past->second.stage == keep::Stage::resumed) return swapped(past->second.lost);
    Answer answer;
    answer.reply.mutable_swapped()->set_undone_already(true);
    return answer;
  }
  const auto known = moves_.find(id);
  if (known == moves_.end()) return not_kept();
  Move& move = known->second;
  if (move.ends.stage() == keep::Stage::found)
    return failure(ErrorCode::usage, "ends that aren't held can't be swapped");
  if (move.ends.stage() == keep::Stage::held) {
    move.ends.swap(environment_);
    move.since = Clock::now();
  }
  return swapped(move.ends.lost());
}

Result<Answer> Peers::resume(const move::MoveId& id) {
  const auto known = moves_.find(id);
  if (known == moves_.end()) return done();
  if (known->second.ends.stage() != keep::Stage::swapped)
    return failure(ErrorCode::usage, "programs whose ends aren't swapped can't be let go");
  SOCKSWAP_CHECK(resume(known));
  return done();
}

Result<Answer> Peers::undo(const move::MoveId& id) {
  if (const auto past = past_.find(id); past != past_.end())
    return past->second.stage == keep::Stage::resumed ? swapped_already(past->second.lost) : undone();
  const auto known = moves_.find(id);
  if (known == moves_.end()) return undone();
  if (known->second.ends.stage() == keep::Stage::swapped) return swapped_already(known->second.ends.lost());
  SOCKSWAP_CHECK(undo(known));
  return undone();
}

Result<Answer> Peers::forget(const move::MoveId& id) {
  if (moves_.contains(id)) return failure(ErrorCode::usage, "a move that isn't over can't be forgotten");
  past_.erase(id);
  return done();
}

Result<> Peers::resume(Moves::iterator move) {
  auto resumed = move->second.ends.resume();
  remember(move->first, move->second, keep::Stage::resumed);
  moves_.erase(move);
  return resumed;
}

Result<> Peers::undo(Moves::iterator move) {
  auto undone = move->second.ends.undo(environment_);
  // A daemon that asks for a swap of ends that were never held is told that they aren't known.
  if (move->second.ends.stage() == keep::Stage::held)
    remember(move->first, move->second, keep::Stage::undone);
  moves_.erase(move);
  return undone;
}

void Peers::remember(const move::MoveId& id, const Move& move, keep::Stage stage) {
  const auto now = Clock::now();
  past_.insert_or_assign(id, Past{stage, move.ends.lost(), move.ends.tuples(), now});
  past_order_.push_back(id);
  while (!past_order_.empty()) {
    const auto oldest = past_.find(past_order_.front());
    if (oldest != past_.end() && past_.size() <= most_past && now - oldest->second.since < past_limit) break;
    if (oldest != past_.end()) past_.erase(oldest);
    past_order_.pop_front();
  }
}

std::optional<Peers::Clock::time_point> Peers::deadline(const Move& move) const {
  switch (move.ends.stage()) {
    case keep::Stage::found: return move.since + find_limit;
    case keep::Stage::held:
      if (move.ends.resting()) return std::nullopt;
      return move.since + hold_limit_;
    default: return std::nullopt;
  }
}

std::optional<Peers::Clock::time_point> Peers::next_deadline() const {
  std::optional<Clock::time_point> next;
  for (const auto& [id, move] : moves_)
    if (const auto own = deadline(move); own && (!next || *own < *next)) next = own;
  return next;
}

void Peers::on_time(Clock::time_point now) {
  for (auto move = moves_.begin(); move != moves_.end();) {
    const auto here = move++;
    const auto own = deadline(here->second);
    if (!own || *own > now) continue;
    if (here->second.ends.stage() == keep::Stage::held && !here->second.arbiter)
      rest(here->first, here->second);
    else
      give_up(here);
  }
}

void Peers::give_up(Moves::iterator move) {
  const move::MoveId id = move->first;
  log::warn("move {}: undone by the keeper: nobody has gone on with it", id.text());
  if (auto undone = undo(move); !undone)
    log::error("move {}: a staying end could not be thawed: {}", id.text(), undone.error().text());
}

// Another host decides, and may have committed: undoing would be a guess.
void Peers::rest(const move::MoveId& id, Move& move) {
  log::warn("move {}: its programs run on without their connections until somebody knows what became of it",
            id.text());
  if (auto rested = move.ends.rest(); !rested)
    log::error("move {}: its programs have to go on waiting: {}", id.text(), rested.error().text());
}

void Peers::end_all() {
  while (!moves_.empty()) {
    const auto move = moves_.begin();
    const move::MoveId id = move->first;
    const bool swapped = move->second.ends.stage() == keep::Stage::swapped;
    if (auto ended = swapped ? resume(move) : undo(move); !ended)
      log::error("move {}: a staying end, or its program, could not be let go: {}", id.text(),
                 ended.error().text());
  }
}

void Peers::list(wire::keeper::Kept& kept) const {
  const auto add = [&](const move::MoveId& id, keep::Stage stage, const std::vector<FourTuple>& ends) {
    auto& out = *kept.add_moves();
    out.set_move_id(id.bytes());
    out.set_role(wire::PEER);
    out.set_stage(static_cast<std::uint32_t>(stage));
    for (const FourTuple& tuple : ends) wire::to_message(tuple, *out.add_ends());
  };
  for (const auto& [id, move] : moves_) add(id, move.ends.stage(), move.ends.tuples());
  for (const auto& [id, past] : past_) add(id, past.stage, past.ends);
}

}  // namespace sockswap::keeper
