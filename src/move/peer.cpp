#include "move/peer.h"

#include "move/images.h"
#include "wire/errors.h"

namespace sockswap::move {
namespace {

// In doubt, the origin is asked this often.
constexpr std::chrono::milliseconds ask_interval{1000};
// An origin that says nothing for so long is asked; its own timer is shorter.
constexpr std::chrono::milliseconds patience{15000};

}  // namespace

Peer::Peer(MoveId id, std::string origin, std::string destination)
    : id_(id), origin_(std::move(origin)), destination_(std::move(destination)) {}

wire::Message Peer::message() const {
  wire::Message message;
  message.set_move_id(id_.bytes());
  return message;
}

Peer::Actions Peer::start() { return {action::SetTimer{patience}, action::FindEnds{}}; }

Peer::Actions Peer::on_found() {
  state_ = State::found;
  wire::Message found = message();
  found.mutable_found();
  return {action::Send{origin_, std::move(found)}, action::Step{"found"}};
}

Peer::Actions Peer::on_message(const std::string& from, const wire::Message& message) {
  if (from != origin_) return {};
  switch (message.body_case()) {
    case wire::Message::kHold:
      if (state_ != State::found) return {};
      state_ = State::holding;
      return {action::Write{Mark::peer_holding}, action::HoldEnds{}};
    case wire::Message::kSwap:
      if (state_ == State::swapped) return on_swapped(lost_);
      if (state_ != State::held) return {};
      state_ = State::swapping;
      return {action::Write{Mark::peer_swapping}, action::SwapEnds{}};
    case wire::Message::kUndo:
      if (state_ != State::swapping && state_ != State::swapped) return thaw(true);
      [[fallthrough]];  // the origin's answer to Ask: it has finished and forgotten the move
    case wire::Message::kForget:
      if (state_ != State::swapped) return {};
      state_ = State::finished;
      return {action::Write{Mark::peer_finished}, action::Finish{}};
    default: return {};
  }
}

Peer::Actions Peer::on_held(const std::vector<HeldEnd>& ends) {
  state_ = State::held;
  wire::Message held = message();
  for (const HeldEnd& end : ends) {
    wire::Held::End& out = *held.mutable_held()->add_ends();
    out.set_index(end.index);
    to_message(end.staying, *out.mutable_staying());
  }
  return {action::Write{Mark::peer_held}, action::Send{origin_, std::move(held)}, action::Step{"held"},
          action::SetTimer{patience}};
}

Peer::Actions Peer::on_swapped(const LostEnds& lost) {
  const bool first_time = state_ != State::swapped;
  state_ = State::swapped;
  if (first_time) lost_ = lost;
  wire::Message swapped = message();
  to_message(lost_, *swapped.mutable_swapped()->mutable_lost());
  Actions actions;
  // The destination waits for it with a thawed program at stake; the origin only to report.
  actions.emplace_back(action::Send{destination_, swapped});
  if (first_time) actions.emplace_back(action::ResumeHolders{});
  if (origin_ != destination_) actions.emplace_back(action::Send{origin_, std::move(swapped)});
  if (first_time) {
    actions.emplace_back(action::Write{Mark::peer_swapped});
    actions.emplace_back(action::SetTimer{patience});
  }
  return actions;
}

Peer::Actions Peer::thaw(bool say_undone) {
  state_ = State::finished;
  Actions actions{action::ThawEnds{}, action::Write{Mark::peer_finished}};
  if (say_undone) {
    wire::Message undone = message();
    undone.mutable_undone();
    actions.emplace_back(action::Send{origin_, std::move(undone)});
  }
  actions.emplace_back(action::Step{"undone"});
  actions.emplace_back(action::Finish{});
  return actions;
}

Peer::Actions Peer::on_failure(Error error) {
  state_ = State::finished;
  wire::Message refuse = message();
  wire::to_message(error, *refuse.mutable_refuse()->mutable_error());
  return {action::ThawEnds{}, action::Write{Mark::peer_finished}, action::Send{origin_, std::move(refuse)},
          action::Finish{}};
}

Peer::Actions Peer::on_host_lost(const std::string& host) {
  if (host != origin_) return {};
  if (state_ == State::finding || state_ == State::found || state_ == State::holding) return thaw(false);
  if (state_ == State::held) return {action::SetTimer{ask_interval}};
  return {};
}

Peer::Actions Peer::on_timer() {
  switch (state_) {
    case State::finding:
    case State::found:
    case State::holding: return thaw(false);
    case State::held: {
      wire::Message ask = message();
      ask.mutable_ask();
      return {action::Step{"in doubt"}, action::Send{origin_, std::move(ask)},
              action::SetTimer{ask_interval}};
    }
    case State::swapping: return {};
    case State::swapped: {
      // Swapped or Forget was lost. Until the origin knows, the moving end may still stand still.
      Actions actions = on_swapped(lost_);
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

std::string_view name(Peer::State state) {
  switch (state) {
    case Peer::State::finding: return "finding";
    case Peer::State::found: return "found";
    case Peer::State::holding: return "holding";
    case Peer::State::held: return "held";
    case Peer::State::swapping: return "swapping";
    case Peer::State::swapped: return "swapped";
    case Peer::State::finished: return "finished";
  }
  return "";
}

}  // namespace sockswap::move
