#include "move/peer.h"

#include "move/images.h"
#include "move/timing.h"
#include "wire/errors.h"

namespace sockswap::move {

Peer::Peer(MoveId id, std::string self, std::string origin, const wire::Find& find)
    : id_(id), self_(std::move(self)), origin_(std::move(origin)), find_(find) {}

wire::Message Peer::message() const {
  wire::Message message;
  message.set_move_id(id_.bytes());
  return message;
}

action::Send Peer::say_undone(const std::string& to) const {
  wire::Message undone = message();
  undone.mutable_undone()->set_by(wire::PEER);
  return {to, std::move(undone)};
}

action::Send Peer::say_swapped(const std::string& to) const {
  wire::Message swapped = message();
  to_message(lost_, *swapped.mutable_swapped()->mutable_lost());
  return {to, std::move(swapped)};
}

Peer::Actions Peer::start() { return {action::SetTimer{patience}, action::FindEnds{}}; }

Peer::Actions Peer::on_found() {
  state_ = State::found;
  wire::Message found = message();
  found.mutable_found();
  return {action::Send{origin_, std::move(found)}, action::Step{"found"}};
}

// Of another peer than the arbiter: who else can know that the arbiter has swapped. An origin that counts who
// has swapped must not be overtaken by them.
bool Peer::may_say_swap(const std::string& host) const {
  if (host == origin_) return true;
  const bool counted = origin_doubts_ && !forgot_.contains(wire::ORIGIN);
  return !is_arbiter() && !counted && (host == arbiter_ || host == destination());
}

Peer::Actions Peer::on_message(const std::string& from, const wire::Message& message) {
  switch (message.body_case()) {
    case wire::Message::kHold:
      return from == origin_ && state_ == State::found ? hold(message.hold()) : Actions{};
    case wire::Message::kSwap:
      if (!may_say_swap(from)) return {};
      if (state_ == State::undone) return {say_undone(from)};
      if (state_ == State::swapped) return {say_swapped(destination()), say_swapped(origin_)};
      return state_ == State::held ? swap() : Actions{};
    case wire::Message::kUndo:
      if (from != origin_) return {};
      if (state_ == State::undone) {
        Actions actions = finish();
        actions.insert(actions.begin(), say_undone(origin_));
        return actions;
      }
      if (state_ == State::swapping || state_ == State::swapped) return answer(from);
      return undo(true);
    case wire::Message::kDoubt: return from == origin_ ? doubt() : Actions{};
    case wire::Message::kForget:
      return from == origin_ && (state_ == State::swapped || state_ == State::undone) ? finish() : Actions{};
    case wire::Message::kAsk: return message.ask().of() == wire::PEER ? answer(from) : Actions{};
    case wire::Message::kUndone: return take_undone(from, message.undone().by());
    case wire::Message::kUnknown: return take_unknown(from, message.unknown().by());
    case wire::Message::kActivated:
      // Of a destination that was asked, since the origin has no memory: nobody else will ask here any more.
      return from == destination() && state_ == State::swapped && forgot_.contains(wire::ORIGIN) ? finish()
                                                                                                 : Actions{};
    default: return {};
  }
}

Peer::Actions Peer::hold(const wire::Hold& hold) {
  state_ = State::holding;
  arbiter_ = hold.arbiter();
  JournalRecord record = record_of(id_);
  record.mutable_peer_holding()->set_origin(origin_);
  record.mutable_peer_holding()->set_arbiter(arbiter_);
  *record.mutable_peer_holding()->mutable_find() = find_;
  return {action::Write{std::move(record)}, action::HoldEnds{}};
}

Peer::Actions Peer::on_held(const std::vector<HeldEnd>& ends) {
  state_ = State::held;
  JournalRecord record = record_of(id_);
  record.mutable_peer_held();
  wire::Message held = message();
  for (const HeldEnd& end : ends) {
    wire::Held::End& out = *held.mutable_held()->add_ends();
    out.set_index(end.index);
    to_message(end.staying, *out.mutable_staying());
  }
  return {action::Write{std::move(record)}, action::Send{origin_, std::move(held)}, action::Step{"held"},
          action::SetTimer{is_arbiter() ? hold_limit : patience}};
}

Peer::Actions Peer::swap() {
  state_ = State::swapping;
  JournalRecord record = record_of(id_);
  record.mutable_peer_swapping();
  // The arbiter may still refuse. Another peer may not: it is committed.
  return {action::Write{std::move(record), is_arbiter()}, action::SwapEnds{}};
}

Peer::Actions Peer::on_swapped(const LostEnds& lost) {
  state_ = State::swapped;
  lost_ = lost;
  JournalRecord record = record_of(id_);
  to_message(lost_, *record.mutable_peer_swapped()->mutable_lost());
  // The destination waits for it with a thawed program at stake; the origin only to report.
  Actions actions{say_swapped(destination()), action::ResumeHolders{}};
  if (origin_ != destination()) actions.emplace_back(say_swapped(origin_));
  // Not needed: SwapEnds gives the same answer again.
  actions.emplace_back(action::Write{std::move(record), false});
  actions.emplace_back(action::SetTimer{patience});
  return actions;
}

Peer::Actions Peer::on_undone_already() { return give_up(); }

Peer::Actions Peer::undo(bool say) {
  Actions actions{action::ThawEnds{}, end()};
  if (say) actions.emplace_back(say_undone(origin_));
  actions.emplace_back(action::Step{"undone"});
  actions.emplace_back(action::Finish{});
  return actions;
}

Peer::Actions Peer::give_up() {
  state_ = State::undone;
  JournalRecord record = record_of(id_);
  record.mutable_peer_undone();
  // Not needed: without it the restarted daemon decides in the same way.
  return {action::Write{std::move(record), false}, action::ThawEnds{}, action::Step{"undone"},
          say_undone(origin_), action::SetTimer{patience}};
}

action::Write Peer::end() {
  state_ = State::finished;
  JournalRecord record = record_of(id_);
  record.mutable_peer_finished();
  return {std::move(record), false};
}

Peer::Actions Peer::finish() { return {end(), action::Finish{}}; }

Peer::Actions Peer::on_failure(Error error) {
  wire::Message refuse = message();
  refuse.mutable_refuse()->set_by(wire::PEER);
  wire::to_message(error, *refuse.mutable_refuse()->mutable_error());
  return {action::ThawEnds{}, end(), action::Send{origin_, std::move(refuse)}, action::Finish{}};
}

// Before HoldEnds, before Held was said, or before the arbiter's SwapEnds.
Peer::Actions Peer::on_unwritten(Error error) {
  return state_ == State::swapping ? give_up() : on_failure(std::move(error));
}

Peer::Actions Peer::on_host_lost(const std::string& host) {
  // What was said last may be lost with it.
  if (state_ == State::swapped && (host == origin_ || host == destination()))
    return {action::SetTimer{ask_interval}};
  if (host != origin_) return {};
  switch (state_) {
    case State::finding:
    case State::found:
    case State::holding: return undo(false);
    case State::held: return is_arbiter() ? give_up() : Actions{action::SetTimer{ask_interval}};
    default: return {};
  }
}

Peer::Actions Peer::ask() const {
  Actions actions;
  const auto ask_one = [&](const std::string& host, wire::Role of) {
    wire::Message ask = message();
    ask.mutable_ask()->set_of(of);
    actions.emplace_back(action::Send{host, std::move(ask)});
  };
  ask_one(origin_, wire::ORIGIN);
  if (state_ == State::held) ask_one(arbiter_, wire::PEER);
  if (state_ == State::held || forgot_.contains(wire::ORIGIN)) ask_one(destination(), wire::DESTINATION);
  return actions;
}

Peer::Actions Peer::on_timer() {
  switch (state_) {
    case State::finding:
    case State::found:
    case State::holding: return undo(false);
    case State::held: {
      if (is_arbiter()) return give_up();
      Actions actions = ask();
      actions.insert(actions.begin(), action::Step{"in doubt"});
      actions.emplace_back(action::SetTimer{ask_interval});
      return actions;
    }
    case State::swapped: {
      // Swapped or Forget was lost. Until the origin knows, the moving end may still stand still.
      Actions actions{say_swapped(destination()), say_swapped(origin_)};
      append(actions, ask());
      actions.emplace_back(action::SetTimer{patience});
      return actions;
    }
    case State::undone:
      if (++timers_ == patience_with_undone) return finish();
      return {say_undone(origin_), action::SetTimer{patience}};
    case State::swapping:
    case State::finished: return {};
  }
  return {};
}

Peer::Actions Peer::doubt() {
  if (state_ != State::held || is_arbiter()) return answer(origin_);
  origin_doubts_ = true;
  wire::Message waiting = message();
  waiting.mutable_waiting()->set_by(wire::PEER);
  return {action::Send{origin_, std::move(waiting)}};
}

// To whoever is in doubt and knows the move. Silence where this isn't known yet.
Peer::Actions Peer::answer(const std::string& from) const {
  if (state_ == State::undone) return {say_undone(from)};
  if (state_ != State::swapped) return {};
  if (from == origin_ || from == destination()) return {say_swapped(from)};
  if (!is_arbiter()) return {};
  wire::Message swap = message();  // another peer
  swap.mutable_swap();
  return {action::Send{from, std::move(swap)}};
}

Peer::Actions Peer::take_undone(const std::string& from, wire::Role by) {
  if (state_ == State::swapped) {  // whom it swapped to is gone, and nobody is left who waits for its word
    const bool over = by == wire::DESTINATION && from == destination() && forgot_.contains(wire::ORIGIN);
    return over ? finish() : Actions{};
  }
  if (state_ != State::held || is_arbiter()) return {};
  // The arbiter's word is the decision. The destination's is, once it acts in an origin's place.
  const bool decided = (by == wire::PEER && from == arbiter_) ||
                       (by == wire::DESTINATION && from == destination() && forgot_.contains(wire::ORIGIN));
  return decided ? undo(true) : Actions{};
}

Peer::Actions Peer::take_unknown(const std::string& from, wire::Role by) {
  if (state_ == State::swapped) {
    if (by == wire::DESTINATION && from == destination() && forgot_.contains(wire::ORIGIN)) return finish();
    if (by != wire::ORIGIN || from != origin_ || !forgot_.insert(by).second) return {};
    // An origin without memory tells nobody to forget. The destination, if it still waits, is told here.
    Actions actions = ask();
    actions.erase(actions.begin());
    return actions;
  }
  if (state_ != State::held || is_arbiter()) return {};
  if ((by == wire::ORIGIN && from == origin_) || (by == wire::PEER && from == arbiter_) ||
      (by == wire::DESTINATION && from == destination()))
    forgot_.insert(by);
  // Nobody is left who could have swapped and be whole.
  return forgot_.size() == 3 ? undo(true) : Actions{};
}

Peer::Actions Peer::settle(bool moved) {
  if (state_ != State::held || is_arbiter()) return {};
  return moved ? swap() : undo(true);
}

std::optional<Peer> Peer::restore(const std::string& self, const Records& records) {
  const JournalRecord* holding = move::find(records, JournalRecord::kPeerHolding);
  if (holding == nullptr || is_last(records.back())) return std::nullopt;
  const auto id = MoveId::from_bytes(holding->move_id());
  if (!id) return std::nullopt;
  Peer peer(*id, self, holding->peer_holding().origin(), holding->peer_holding().find());
  peer.arbiter_ = holding->peer_holding().arbiter();
  peer.state_ = State::holding;
  if (move::find(records, JournalRecord::kPeerHeld) != nullptr) peer.state_ = State::held;
  if (move::find(records, JournalRecord::kPeerSwapping) != nullptr) peer.state_ = State::swapping;
  if (const JournalRecord* swapped = move::find(records, JournalRecord::kPeerSwapped)) {
    peer.state_ = State::swapped;
    peer.lost_ = from_message(swapped->peer_swapped().lost());
  }
  if (move::find(records, JournalRecord::kPeerUndone) != nullptr) peer.state_ = State::undone;
  return peer;
}

Peer::Actions Peer::resume() {
  switch (state_) {
    case State::holding: return undo(false);  // Held was not said
    case State::held: {
      if (is_arbiter()) return give_up();
      Actions actions = ask();
      actions.emplace_back(action::SetTimer{ask_interval});
      return actions;
    }
    case State::swapping: return {action::SwapEnds{}};
    case State::swapped: {
      Actions actions{action::ResumeHolders{}};
      append(actions, on_timer());
      return actions;
    }
    case State::undone: return {action::ThawEnds{}, say_undone(origin_), action::SetTimer{patience}};
    default: return {};
  }
}

std::string_view name(Peer::State state) {
  switch (state) {
    case Peer::State::finding: return "finding";
    case Peer::State::found: return "found";
    case Peer::State::holding: return "holding";
    case Peer::State::held: return "held";
    case Peer::State::swapping: return "swapping";
    case Peer::State::swapped: return "swapped";
    case Peer::State::undone: return "undone";
    case Peer::State::finished: return "finished";
  }
  return "";
}

}  // namespace sockswap::move
