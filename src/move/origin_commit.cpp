// From the question to the arbiter on.
#include <fmt/format.h>

#include "move/images.h"
#include "move/origin.h"
#include "move/timing.h"
#include "wire/endpoints.h"
#include "wire/errors.h"

namespace sockswap::move {

bool Origin::asked_arbiter() const {
  return state_ == State::deciding || state_ == State::doubting || committed();
}

action::Send Origin::swap(const std::string& peer) const {
  wire::Message swap = message();
  swap.mutable_swap();
  return {peer, std::move(swap)};
}

action::Send Origin::activate() const {
  wire::Message activate = message();
  to_message(lost_, *activate.mutable_activate()->mutable_lost());
  return {plan_.destination, std::move(activate)};
}

Origin::Actions Origin::decide() {
  state_ = State::deciding;
  JournalRecord record = record_of(plan_.id);
  record.mutable_origin_deciding();
  return {action::Write{std::move(record)}, swap(plan_.arbiter()), action::Step{"deciding"},
          action::SetTimer{resend_interval}};
}

// Whoever has swapped: the others do only once the arbiter has.
Origin::Actions Origin::take_swapped(const std::string& from, const wire::Swapped& swapped) {
  if (!asked_arbiter()) return {};
  if (committed() && swapped_.contains(from)) return {};
  swapped_.insert(from);
  add_from(swapped.lost(), lost_, [&](std::uint32_t index) { return has_part_in(from, index); });
  return committed() ? advance() : commit();
}

Origin::Actions Origin::commit() {
  state_ = State::swapping;
  swapped_.insert(plan_.arbiter());
  JournalRecord record = record_of(plan_.id);
  to_message(lost_, *record.mutable_origin_committed()->mutable_lost());
  // Not needed: who asks the arbiter again gets the same answer. But it comes before anybody else is told to
  // swap, since the arbiter's host may lose power.
  Actions actions{action::Write{std::move(record), false}};
  for (const std::string& peer : peers_)
    if (!swapped_.contains(peer)) actions.emplace_back(swap(peer));
  actions.emplace_back(action::Step{"committed"});
  actions.emplace_back(action::ReleaseMoving{});
  append(actions, advance());
  actions.emplace_back(action::SetTimer{resend_interval});
  return actions;
}

// The arbiter has forgotten the move, so its ends are not to be asked about any more. Either it had undone
// it, or it has swapped and lost its memory since, with its sockets; then another peer may have swapped on
// its word, and the destination may have heard of it. Whoever says that it waits will not swap on anybody
// else's word, so when all have answered and nobody has swapped, nobody will.
Origin::Actions Origin::doubt() {
  state_ = State::doubting;
  doubted_peers_ = peers_;
  doubted_peers_.erase(plan_.arbiter());
  doubted_destination_ = true;
  Actions actions = say_doubt();
  actions.emplace_back(action::SetTimer{resend_interval});
  return actions;
}

Origin::Actions Origin::say_doubt() const {
  std::set<std::string> parties = doubted_peers_;
  if (doubted_destination_) parties.insert(plan_.destination);
  Actions actions;
  for (const std::string& party : parties) {
    wire::Message doubt = message();
    doubt.mutable_doubt();
    actions.emplace_back(action::Send{party, std::move(doubt)});
  }
  return actions;
}

Origin::Actions Origin::take_waiting(const std::string& from, const wire::Waiting& waiting) {
  if (state_ != State::doubting) return {};
  if (waiting.by() == wire::DESTINATION && from == plan_.destination && waiting.swapped()) return commit();
  return clear_doubt(from, waiting.by(), true);
}

// `kept`: it has said what became of its part; otherwise it has no memory of one.
Origin::Actions Origin::clear_doubt(const std::string& from, wire::Role by, bool kept) {
  const bool any = !kept && by == wire::NO_ROLE;
  if ((by == wire::PEER || any) && doubted_peers_.erase(from) != 0) a_peer_has_not_swapped_ |= kept;
  if ((by == wire::DESTINATION || any) && from == plan_.destination && doubted_destination_) {
    doubted_destination_ = false;
    destination_forgot_ = !kept;
  }
  if (!doubted_peers_.empty() || doubted_destination_) return {};
  // A destination goes live when every peer has swapped, so one that has not is proof that it never did.
  if (destination_forgot_ && !a_peer_has_not_swapped_) return lose_all();
  return undo(Error{ErrorCode::unreachable,
                    fmt::format("{} has forgotten the move: it was started again", plan_.arbiter()),
                    "nothing was moved; the other end went with its host, if that was down", 0});
}

Origin::Actions Origin::take_undone(const std::string& from, wire::Role by) {
  switch (state_) {
    case State::undoing: undoing_.erase(from); return advance();
    case State::deciding:
      if (by != wire::PEER || from != plan_.arbiter()) return {};
      return undo(Error{ErrorCode::timed_out,
                        fmt::format("{} gave the move up before it was told to go on", from),
                        "a session was lost, or too slow; everything is as it was", 0});
    case State::doubting: return clear_doubt(from, by, true);
    case State::swapping:
      if (by == wire::PEER && peers_.contains(from))
        return lose_ends_of(from, fmt::format("{} has undone its part", from));
      return {};
    case State::activating: return by == wire::DESTINATION ? take_unknown(from, by) : Actions{};
    default: return {};
  }
}

Origin::Actions Origin::take_unknown(const std::string& from, wire::Role by) {
  switch (state_) {
    case State::undoing: undoing_.erase(from); return advance();
    case State::deciding: return by == wire::PEER && from == plan_.arbiter() ? doubt() : Actions{};
    case State::doubting: return clear_doubt(from, by, false);
    case State::swapping:
      if (by == wire::PEER && peers_.contains(from))
        return lose_ends_of(from, fmt::format("{} was started anew in the midst of the move", from));
      return {};
    case State::activating:
      if (by != wire::DESTINATION || from != plan_.destination) return {};
      for (std::uint32_t index = 0; !restored_ && index < plan_.ends.size(); ++index)
        lost_.try_emplace(
            index,
            Error{ErrorCode::lost, fmt::format("{} went down before it said that the ends had arrived", from),
                  "one that had gone on from there by then lives where it went", 0});
      return finish();
    default: return {};
  }
}

Origin::Actions Origin::lose_ends_of(const std::string& peer, const std::string& why) {
  if (!swapped_.insert(peer).second) return {};
  // After a restart: it may as well have swapped, been told so, and forgotten.
  for (std::uint32_t index = 0; !restored_ && index < plan_.ends.size(); ++index)
    if (plan_.ends[index].peer == peer) lost_.try_emplace(index, Error{ErrorCode::lost, why, "", 0});
  return advance();
}

// Neither the arbiter nor the destination knows of the move: both have been down. The ends may have lived at
// the destination for a while; here they must not live again.
Origin::Actions Origin::lose_all() {
  for (std::uint32_t index = 0; index < plan_.ends.size(); ++index)
    lost_.try_emplace(index, Error{ErrorCode::lost,
                                   fmt::format("both {} and {} went down in the midst of the move",
                                               plan_.arbiter(), plan_.destination),
                                   "", 0});
  Actions actions = finish();
  for (const std::string& peer : peers_)
    if (peer != plan_.arbiter()) actions.insert(actions.begin(), undo_at(peer));
  return actions;
}

Origin::Actions Origin::finish() {
  // Activated says that every peer has swapped, even if its own word is still on its way.
  const bool released = committed();
  state_ = State::finished;
  Actions actions{action::Step{"activated"}};
  if (!released) actions.emplace_back(action::ReleaseMoving{});
  JournalRecord record = record_of(plan_.id);
  record.mutable_origin_finished();
  actions.emplace_back(action::Write{std::move(record), false});
  actions.emplace_back(action::Conclude{lost_.empty() ? std::nullopt : std::optional(lost_.begin()->second)});
  for (const std::string& party : parties()) {
    wire::Message forget = message();
    forget.mutable_forget();
    actions.emplace_back(action::Send{party, std::move(forget)});
  }
  actions.emplace_back(action::Finish{});
  return actions;
}

// To a party in doubt. Silence where this isn't known yet, or is on its way by itself.
Origin::Actions Origin::answer(const std::string& from, wire::Role of) {
  if (of != wire::ORIGIN) return {};
  if (state_ == State::undoing) return {undo_at(from)};
  if (!committed()) return {};
  Actions actions;
  if (peers_.contains(from) && !swapped_.contains(from)) actions.emplace_back(swap(from));
  if (from == plan_.destination && state_ == State::activating) actions.emplace_back(activate());
  return actions;
}

Origin::Actions Origin::repeat() {
  Actions actions;
  switch (state_) {
    case State::deciding: actions.emplace_back(swap(plan_.arbiter())); break;
    case State::doubting: actions = say_doubt(); break;
    default:
      for (const std::string& peer : peers_)
        if (!swapped_.contains(peer)) actions.emplace_back(swap(peer));
      if (state_ == State::activating) actions.emplace_back(activate());
  }
  if (++timers_since_asked_ == resends_until_in_doubt)
    actions.emplace_back(action::Conclude{
        committed()
            ? Error{ErrorCode::in_doubt, "committed, but not every host has confirmed yet",
                    "`sockswap moves` shows which; the move is driven to its end as they come back", 0}
            : Error{ErrorCode::in_doubt,
                    fmt::format("{} doesn't say whether it has committed", plan_.arbiter()),
                    "`sockswap moves` shows it; it settles when that host is back", 0}});
  actions.emplace_back(action::SetTimer{resend_interval});
  return actions;
}

Origin::Actions Origin::settle(bool moved) {
  if (state_ != State::deciding && state_ != State::doubting) return {};
  if (moved) return commit();
  return undo(Error{ErrorCode::in_doubt, "an operator has settled the move as undone",
                    "`sockswap moves settle` was used on this host", 0});
}

std::optional<Origin> Origin::restore(const Records& records) {
  const JournalRecord* freezing = find(records, JournalRecord::kOriginFreezing);
  if (freezing == nullptr || is_last(records.back())) return std::nullopt;
  const auto id = MoveId::from_bytes(freezing->move_id());
  const wire::Offer& offer = freezing->origin_freezing().offer();
  if (!id || offer.ends().empty()) return std::nullopt;
  OriginPlan plan{.id = *id,
                  .destination = freezing->origin_freezing().destination(),
                  .receiver = offer.receiver(),
                  .ends = {},
                  .state_bytes = offer.state_bytes()};
  for (const wire::Offer::End& end : offer.ends()) {
    const auto tuple = wire::from_message(end.tuple());
    const auto remote = wire::from_message(end.remote());
    const auto family = family_from_message(end.family());
    if (!tuple || !remote || !family) return std::nullopt;
    plan.ends.push_back({.tuple = *tuple, .family = *family, .peer = end.peer(), .remote = *remote});
  }
  Origin origin(std::move(plan));
  origin.restored_ = true;
  const JournalRecord* committed = find(records, JournalRecord::kOriginCommitted);
  if (committed != nullptr) {
    origin.state_ = State::swapping;
    origin.swapped_.insert(origin.plan_.arbiter());
    origin.lost_ = from_message(committed->origin_committed().lost());
  } else if (find(records, JournalRecord::kOriginUndoing) != nullptr) {
    origin.state_ = State::undoing;
  } else if (find(records, JournalRecord::kOriginDeciding) != nullptr) {
    origin.state_ = State::deciding;
  } else {
    origin.state_ = State::undoing;
  }
  return origin;
}

Origin::Actions Origin::resume() {
  switch (state_) {
    case State::undoing: {
      Actions actions{action::ThawMoving{}};
      reason_ = Error{ErrorCode::unreachable, "the daemon was started again in the midst of the move",
                      "everything is as it was; try again", 0};
      undoing_ = parties();
      append(actions, say_undo(undoing_));
      return actions;
    }
    case State::deciding: return {swap(plan_.arbiter()), action::SetTimer{resend_interval}};
    case State::swapping: {
      Actions actions{action::ReleaseMoving{}};
      append(actions, advance());
      append(actions, repeat());
      return actions;
    }
    default: return {};
  }
}

}  // namespace sockswap::move
