#include "move/destination.h"

#include "wire/endpoints.h"
#include "wire/errors.h"

namespace sockswap::move {
namespace {

// In doubt, and when an end has gone live without the origin's Forget, ask this often.
constexpr std::chrono::milliseconds ask_interval{1000};
// An origin that says nothing for so long after Ready is asked; its own timer is shorter.
constexpr std::chrono::milliseconds patience{15000};

}  // namespace

Destination::Destination(MoveId id, std::string origin, const wire::Offer& offer)
    : id_(id), origin_(std::move(origin)) {
  for (const wire::Offer::End& end : offer.ends()) peer_of_.push_back(end.peer());
  peers_.insert(peer_of_.begin(), peer_of_.end());
}

bool Destination::is_of(const std::string& host, std::uint32_t index) const {
  return index < peer_of_.size() && (host == origin_ || peer_of_[index] == host);
}

wire::Message Destination::message() const {
  wire::Message message;
  message.set_move_id(id_.bytes());
  return message;
}

Destination::Actions Destination::start() { return {action::SetTimer{patience}, action::ReserveEnds{}}; }

Destination::Actions Destination::on_reserved(const std::vector<Endpoint>& locals) {
  state_ = State::waiting;
  wire::Message accept = message();
  for (const Endpoint& local : locals) wire::to_message(local, *accept.mutable_accept()->add_locals());
  return {action::Write{Mark::destination_reserved}, action::Send{origin_, std::move(accept)},
          action::Step{"reserved"}};
}

Destination::Actions Destination::on_message(const std::string& from, const wire::Message& message) {
  if (message.body_case() == wire::Message::kSwapped) {
    if (state_ != State::ready || !peers_.contains(from)) return {};
    swapped_.insert(from);
    add_from(message.swapped().lost(), lost_, [&](std::uint32_t index) { return is_of(from, index); });
    return swapped_ == peers_ ? go_live() : Actions{};
  }
  if (from != origin_) return {};
  switch (message.body_case()) {
    case wire::Message::kState: return state_ == State::waiting ? Actions{action::TakeState{}} : Actions{};
    case wire::Message::kDeliver:
      if (state_ != State::waiting) return {};
      state_ = State::rebuilding;
      return {action::RebuildEnds{}};
    case wire::Message::kActivate:
      if (state_ == State::live) return on_live({});
      if (state_ != State::ready) return {};
      add_from(message.activate().lost(), lost_, [&](std::uint32_t index) { return is_of(from, index); });
      return go_live();
    case wire::Message::kUndo:
      if (state_ != State::live) return drop(true);
      [[fallthrough]];  // the origin's answer to Ask: it has finished and forgotten the move
    case wire::Message::kForget:
      if (state_ != State::live) return {};
      state_ = State::finished;
      return {action::Write{Mark::destination_finished}, action::Finish{}};
    default: return {};
  }
}

Destination::Actions Destination::on_state_taken() {
  wire::Message taken = message();
  taken.mutable_state_taken();
  return {action::Send{origin_, std::move(taken)}};
}

Destination::Actions Destination::on_rebuilt() {
  state_ = State::ready;
  wire::Message ready = message();
  ready.mutable_ready();
  return {action::Write{Mark::destination_ready}, action::Send{origin_, std::move(ready)},
          action::Step{"rebuilt"}, action::SetTimer{patience}};
}

Destination::Actions Destination::go_live() {
  state_ = State::live;
  return {action::Write{Mark::destination_live}, action::LetGo{lost_}, action::SetTimer{patience}};
}

Destination::Actions Destination::on_live(const LostEnds& lost) {
  lost_.insert(lost.begin(), lost.end());
  wire::Message activated = message();
  to_message(lost_, *activated.mutable_activated()->mutable_lost());
  return {action::Send{origin_, std::move(activated)}};
}

Destination::Actions Destination::refuse(const Error& error) {
  state_ = State::finished;
  wire::Message refuse = message();
  wire::to_message(error, *refuse.mutable_refuse()->mutable_error());
  return {action::DropEnds{}, action::Write{Mark::destination_finished},
          action::Send{origin_, std::move(refuse)}, action::Finish{}};
}

Destination::Actions Destination::drop(bool say_undone) {
  state_ = State::finished;
  Actions actions{action::DropEnds{}, action::Write{Mark::destination_finished}};
  if (say_undone) {
    wire::Message undone = message();
    undone.mutable_undone();
    actions.emplace_back(action::Send{origin_, std::move(undone)});
  }
  actions.emplace_back(action::Step{"undone"});
  actions.emplace_back(action::Finish{});
  return actions;
}

Destination::Actions Destination::on_failure(Error error) { return refuse(error); }

Destination::Actions Destination::on_receiver_gone(Error error) {
  if (state_ == State::reserving || state_ == State::waiting || state_ == State::rebuilding)
    return refuse(error);
  if (state_ != State::ready) return {};
  // Ready has been said, so the origin may have committed: it may only be asked to undo. If it has, the
  // ends go live and end as they would had the receiver died a moment later.
  wire::Message refuse = message();
  wire::to_message(error, *refuse.mutable_refuse()->mutable_error());
  return {action::Send{origin_, std::move(refuse)}};
}

Destination::Actions Destination::on_host_lost(const std::string& host) {
  if (host != origin_) return {};
  if (state_ == State::waiting || state_ == State::reserving) return drop(false);
  if (state_ == State::ready) return {action::SetTimer{ask_interval}};
  return {};
}

Destination::Actions Destination::on_timer() {
  switch (state_) {
    case State::reserving:
    case State::waiting:
    case State::rebuilding: return drop(false);
    case State::ready: {
      wire::Message ask = message();
      ask.mutable_ask();
      return {action::Step{"in doubt"}, action::Send{origin_, std::move(ask)},
              action::SetTimer{ask_interval}};
    }
    case State::live: {
      // Activated or Forget was lost. An origin that has forgotten the move says so by Undo.
      Actions actions = on_live({});
      wire::Message ask = message();
      ask.mutable_ask();
      actions.emplace_back(action::Send{origin_, std::move(ask)});
      actions.emplace_back(action::SetTimer{patience});
      return actions;
    }
    case State::finished: return {};
  }
  return {};
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
