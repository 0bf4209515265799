// The peer's part of a move: its host holds the staying ends, and they are re-pointed in place. No I/O;
// see actions.h.
//
//   finding ─▶ found ──Hold──▶ holding ─▶ held ──Swap──▶ swapping ─▶ swapped ──Forget──▶ finished
//      └─────────┴── failure, Undo ──┴──────┴─ Undo ─────────▶ finished
//
// Invariants: nothing is frozen in `finding` and `found`; in `held` nothing has changed yet, thawing
// restores everything; once Held has been said only the origin's word ends the holding.
#pragma once

#include "move/actions.h"
#include "move/id.h"

namespace sockswap::move {

class Peer {
 public:
  using Action = std::variant<action::Send, action::Write, action::Step, action::SetTimer, action::FindEnds,
                              action::HoldEnds, action::SwapEnds, action::ResumeHolders, action::ThawEnds,
                              action::Finish>;
  using Actions = std::vector<Action>;
  enum class State { finding, found, holding, held, swapping, swapped, finished };

  Peer(MoveId id, std::string origin, std::string destination);

  Actions start();
  Actions on_message(const std::string& from, const wire::Message& message);
  Actions on_found();
  struct HeldEnd {
    std::uint32_t index;  // in the move
    socket::Position staying;
  };
  Actions on_held(const std::vector<HeldEnd>& ends);
  Actions on_swapped(const LostEnds& lost);
  Actions on_failure(Error error);  // of FindEnds or HoldEnds
  Actions on_host_lost(const std::string& host);
  Actions on_timer();

  State state() const { return state_; }
  const std::string& origin() const { return origin_; }
  const std::string& destination() const { return destination_; }

 private:
  Actions thaw(bool say_undone);
  wire::Message message() const;

  MoveId id_;
  std::string origin_;
  std::string destination_;
  State state_ = State::finding;
  LostEnds lost_;  // in swapping, kept to be said again
};

std::string_view name(Peer::State state);

}  // namespace sockswap::move
