#include "move/destination.h"

#include "move/timing.h"
#include "wire/endpoints.h"
#include "wire/errors.h"

namespace sockswap::move {

Destination::Destination(MoveId id, std::string origin, const wire::Offer& offer)
    : id_(id), origin_(std::move(origin)), offer_(offer) {
  for (const wire::Offer::End& end : offer_.ends()) peers_.insert(end.peer());
}

bool Destination::is_of(const std::string& host, std::uint32_t index) const {
  return index < static_cast<std::uint32_t>(offer_.ends_size()) &&
         (host == origin_ || offer_.ends(static_cast<int>(index)).peer() == host);
}

wire::Message Destination::message() const {
  wire::Message message;
  message.set_move_id(id_.bytes());
  return message;
}

action::Send Destination::say_activated(const std::string& to) const {
  wire::Message activated = message();
  to_message(lost_, *activated.mutable_activated()->mutable_lost());
  return {to, std::move(activated)};
}

// Not before somebody has the ends: whoever hears it forgets the move, and a receiver may still have to come
// back.
Destination::Actions Destination::activated(const std::string& to) const {
  return handed_over_ ? Actions{say_activated(to)} : Actions{};
}

action::Send Destination::say_undone(const std::string& to) const {
  wire::Message undone = message();
  undone.mutable_undone()->set_by(wire::DESTINATION);
  return {to, std::move(undone)};
}

Destination::Actions Destination::start() { return {action::SetTimer{patience}, action::ReserveEnds{}}; }

Destination::Actions Destination::on_reserved(const std::vector<Endpoint>& locals) {
  state_ = State::waiting;
  wire::Message accept = message();
  JournalRecord record = record_of(id_);
  record.mutable_destination_reserved()->set_origin(origin_);
  *record.mutable_destination_reserved()->mutable_offer() = offer_;
  for (const Endpoint& local : locals) {
    wire::to_message(local, *accept.mutable_accept()->add_locals());
    wire::to_message(local, *record.mutable_destination_reserved()->add_locals());
  }
  return {action::Write{std::move(record)}, action::Send{origin_, std::move(accept)},
          action::Step{"reserved"}};
}

Destination::Actions Destination::on_message(const std::string& from, const wire::Message& message) {
  const bool from_origin = from == origin_;
  switch (message.body_case()) {
    case wire::Message::kState:
      return from_origin && state_ == State::waiting ? Actions{action::TakeState{}} : Actions{};
    case wire::Message::kDeliver:
      if (!from_origin || state_ != State::waiting) return {};
      state_ = State::rebuilding;
      return {action::RebuildEnds{}};
    case wire::Message::kSwapped:
      if (state_ == State::live && peers_.contains(from)) return activated(from);
      if (state_ != State::ready || !peers_.contains(from)) return {};
      swapped_.insert(from);
      add_from(message.swapped().lost(), lost_, [&](std::uint32_t index) { return is_of(from, index); });
      return collect();
    case wire::Message::kActivate:
      if (!from_origin) return {};
      if (state_ == State::live) return activated(origin_);
      if (state_ != State::ready) return {};
      add_from(message.activate().lost(), lost_, [&](std::uint32_t index) { return is_of(from, index); });
      return go_live();
    case wire::Message::kUndo:
      if (!from_origin) return {};
      return state_ == State::live ? activated(origin_) : drop(true);
    case wire::Message::kDoubt: return from_origin ? doubt() : Actions{};
    case wire::Message::kForget:
      return from_origin && state_ == State::live && handed_over_ ? finish() : Actions{};
    case wire::Message::kAsk: return message.ask().of() == wire::DESTINATION ? answer(from) : Actions{};
    case wire::Message::kUndone: return take_undone(from, message.undone().by());
    case wire::Message::kUnknown: return take_unknown(from, message.unknown().by());
    default: return {};
  }
}

Destination::Actions Destination::on_state_taken() {
  wire::Message taken = message();
  taken.mutable_state_taken();
  JournalRecord record = record_of(id_);
  record.mutable_destination_state();
  return {action::Write{std::move(record)}, action::Send{origin_, std::move(taken)}};
}

Destination::Actions Destination::on_rebuilt() {
  state_ = State::ready;
  wire::Message ready = message();
  ready.mutable_ready();
  JournalRecord record = record_of(id_);
  record.mutable_destination_ready();
  return {action::Write{std::move(record)}, action::Send{origin_, std::move(ready)}, action::Step{"rebuilt"},
          action::SetTimer{patience}};
}

Destination::Actions Destination::go_live() {
  state_ = State::live;
  was_live_ = true;
  JournalRecord record = record_of(id_);
  to_message(lost_, *record.mutable_destination_live()->mutable_lost());
  return {action::Write{std::move(record), false}, action::LetGo{lost_}, action::SetTimer{patience}};
}

Destination::Actions Destination::on_live(const LostEnds& lost) {
  handed_over_ = true;
  lost_.insert(lost.begin(), lost.end());
  JournalRecord record = record_of(id_);
  record.mutable_destination_handed_over();
  return {say_activated(origin_), action::Write{std::move(record), false}};
}

action::Write Destination::end() {
  state_ = State::finished;
  JournalRecord record = record_of(id_);
  record.mutable_destination_finished();
  return {std::move(record), false};
}

action::Send Destination::say_refuse(const Error& error) const {
  wire::Message refuse = message();
  refuse.mutable_refuse()->set_by(wire::DESTINATION);
  wire::to_message(error, *refuse.mutable_refuse()->mutable_error());
  return {origin_, std::move(refuse)};
}

Destination::Actions Destination::refuse(const Error& error) {
  return {action::DropEnds{}, end(), say_refuse(error), action::Finish{}};
}

Destination::Actions Destination::drop(bool say) {
  Actions actions{action::DropEnds{}, end()};
  if (say) actions.emplace_back(say_undone(origin_));
  actions.emplace_back(action::Step{"undone"});
  actions.emplace_back(action::Finish{});
  return actions;
}

Destination::Actions Destination::finish() { return {end(), action::Finish{}}; }

Destination::Actions Destination::on_failure(Error error) { return refuse(error); }

// Before Accept, StateTaken or Ready is said.
Destination::Actions Destination::on_unwritten(Error error) { return refuse(error); }

Destination::Actions Destination::on_receiver_gone(Error error) {
  if (state_ == State::reserving || state_ == State::waiting || state_ == State::rebuilding)
    return refuse(error);
  if (state_ != State::ready) return {};
  // Ready has been said, so the arbiter may have swapped: the origin may only be asked to undo. If it has,
  // the ends go live and end as they would had the receiver died a moment later.
  return {say_refuse(error)};
}

Destination::Actions Destination::on_host_lost(const std::string& host) {
  if (state_ == State::ready && (host == origin_ || peers_.contains(host)))
    return {action::SetTimer{ask_interval}};
  if (host != origin_) return {};
  if (state_ == State::live) return {action::SetTimer{ask_interval}};  // Activated may be lost
  if (state_ == State::waiting || state_ == State::reserving) return drop(false);
  return {};
}

Destination::Actions Destination::ask() const {
  Actions actions;
  wire::Message ask = message();
  ask.mutable_ask()->set_of(wire::ORIGIN);
  actions.emplace_back(action::Send{origin_, ask});
  if (state_ != State::ready) return actions;
  for (const std::string& peer : peers_) {
    if (swapped_.contains(peer) || given_up_.contains(peer)) continue;
    ask.mutable_ask()->set_of(wire::PEER);
    actions.emplace_back(action::Send{peer, ask});
  }
  return actions;
}

Destination::Actions Destination::on_timer() {
  switch (state_) {
    case State::reserving:
    case State::waiting:
    case State::rebuilding: return drop(false);
    case State::ready: {
      Actions actions = ask();
      actions.insert(actions.begin(), action::Step{"in doubt"});
      actions.emplace_back(action::SetTimer{ask_interval});
      return actions;
    }
    case State::live: {
      if (!handed_over_) return {action::SetTimer{patience}};
      // Activated or Forget was lost. An origin that has forgotten the move says so.
      Actions actions = ask();
      actions.insert(actions.begin(), say_activated(origin_));
      actions.emplace_back(action::SetTimer{patience});
      return actions;
    }
    case State::finished: return {};
  }
  return {};
}

Destination::Actions Destination::doubt() {
  if (state_ == State::live) return activated(origin_);
  if (state_ != State::ready) return {};
  origin_doubts_ = true;
  wire::Message waiting = message();
  waiting.mutable_waiting()->set_by(wire::DESTINATION);
  waiting.mutable_waiting()->set_swapped(!swapped_.empty());
  return {action::Send{origin_, std::move(waiting)}};
}

// To whoever is in doubt and knows the move. Silence where this isn't known yet.
Destination::Actions Destination::answer(const std::string& from) {
  if (state_ == State::live) return activated(from);
  if (state_ != State::ready || !peers_.contains(from) || from == arbiter()) return {};
  if (origin_decides()) return {};
  if (!swapped_.empty()) {  // who has swapped proves that the arbiter has
    wire::Message swap = message();
    swap.mutable_swap();
    return {action::Send{from, std::move(swap)}};
  }
  if (!origin_forgot_ || !given_up_.contains(arbiter())) return {};
  Actions actions{say_undone(from)};
  append(actions, give_up_peer(from));
  return actions;
}

Destination::Actions Destination::take_undone(const std::string& from, wire::Role by) {
  if (state_ != State::ready || by != wire::PEER || !peers_.contains(from) || swapped_.contains(from))
    return {};
  return from == arbiter() ? drop(true) : give_up_peer(from);  // the arbiter's word is the decision
}

Destination::Actions Destination::take_unknown(const std::string& from, wire::Role by) {
  if (by == wire::ORIGIN && from == origin_) {
    if (state_ == State::live) return handed_over_ ? finish() : Actions{};
    if (state_ != State::ready) return {};
    origin_forgot_ = true;
    return collect();
  }
  if (state_ != State::ready || by != wire::PEER || !peers_.contains(from) || swapped_.contains(from))
    return {};
  return give_up_peer(from);
}

Destination::Actions Destination::give_up_peer(const std::string& peer) {
  given_up_.insert(peer);
  return collect();
}

// Everybody has swapped, or, if the origin can't settle it any more, has swapped or never will.
Destination::Actions Destination::collect() {
  if (origin_decides()) return {};
  if (swapped_ == peers_) return go_live();
  if (!origin_forgot_) return {};
  for (const std::string& peer : peers_)
    if (!swapped_.contains(peer) && !given_up_.contains(peer)) return {};
  if (swapped_.empty()) return drop(false);
  for (int index = 0; index < offer_.ends_size(); ++index)
    if (!swapped_.contains(offer_.ends(index).peer()))
      lost_.try_emplace(
          static_cast<std::uint32_t>(index),
          Error{ErrorCode::lost,
                offer_.ends(index).peer() + " had not swapped when " + origin_ + " went down", "", 0});
  return go_live();
}

Destination::Actions Destination::settle(bool moved) {
  if (state_ != State::ready) return {};
  return moved ? go_live() : drop(true);
}

std::optional<Destination> Destination::restore(const Records& records) {
  const JournalRecord* reserved = find(records, JournalRecord::kDestinationReserved);
  if (reserved == nullptr || is_last(records.back())) return std::nullopt;
  const auto id = MoveId::from_bytes(reserved->move_id());
  if (!id || reserved->destination_reserved().offer().ends().empty()) return std::nullopt;
  Destination destination(*id, reserved->destination_reserved().origin(),
                          reserved->destination_reserved().offer());
  destination.state_ = State::waiting;
  if (find(records, JournalRecord::kDestinationReady) != nullptr) destination.state_ = State::ready;
  if (const JournalRecord* live = find(records, JournalRecord::kDestinationLive)) {
    destination.state_ = State::live;
    destination.was_live_ = true;
    destination.handed_over_ = find(records, JournalRecord::kDestinationHandedOver) != nullptr;
    destination.lost_ = from_message(live->destination_live().lost());
  }
  return destination;
}

Destination::Actions Destination::resume() {
  switch (state_) {
    case State::ready: {
      Actions actions = ask();
      actions.emplace_back(action::SetTimer{ask_interval});
      return actions;
    }
    case State::live:
      if (handed_over_) return {say_activated(origin_), action::SetTimer{patience}};
      return {action::LetGo{lost_}, action::SetTimer{patience}};
    case State::finished: return {};
    default: return drop(false);  // Ready was not said
  }
}

std::string_view name(Destination::State state) {
  switch (state) {
    case Destination::State::reserving: return "reserving";
    case Destination::State::waiting: return "waiting";
    case Destination::State::rebuilding: return "rebuilding";
    case Destination::State::ready: return "ready";
    case Destination::State::live: return "live";
    case Destination::State::finished: return "finished";
  }
  return "";
}

}  // namespace sockswap::move
