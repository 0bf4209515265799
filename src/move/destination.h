// The destination's part of a move: it makes the ends again. No I/O; see actions.h.
//
//   reserving ─▶ waiting ──deliver──▶ rebuilding ─▶ ready ──all peers swapped, or Activate──▶ live ─▶
//   finished
//       └───────────┴────── any failure, Undo ──────┴──────────▶ finished
//
// Invariants: before `live` nothing of this end is visible to anybody, and dropping it is silent. Once
// Ready has been said only the origin's word (Undo) or proof of the commit (a peer's Swapped, or
// Activate) ends the waiting.
#pragma once

#include <set>

#include "move/actions.h"
#include "move/id.h"

namespace sockswap::move {

class Destination {
 public:
  using Action =
      std::variant<action::Send, action::Write, action::Step, action::SetTimer, action::ReserveEnds,
                   action::TakeState, action::RebuildEnds, action::LetGo, action::DropEnds, action::Finish>;
  using Actions = std::vector<Action>;
  enum class State { reserving, waiting, rebuilding, ready, live, finished };

  // `offer` holds at least one end and names a peer for each; the caller has checked.
  Destination(MoveId id, std::string origin, const wire::Offer& offer);

  Actions start();
  Actions on_message(const std::string& from, const wire::Message& message);
  Actions on_reserved(const std::vector<Endpoint>& locals);
  Actions on_state_taken();
  Actions on_rebuilt();
  Actions on_live(const LostEnds& lost);  // those that LetGo named may be among them
  Actions on_failure(Error error);        // of ReserveEnds, TakeState or RebuildEnds
  Actions on_receiver_gone(Error error);
  Actions on_host_lost(const std::string& host);
  Actions on_timer();

  State state() const { return state_; }
  const std::string& origin() const { return origin_; }

 private:
  Actions refuse(const Error& error);
  Actions drop(bool say_undone);
  Actions go_live();
  wire::Message message() const;

  MoveId id_;
  std::string origin_;
  bool is_of(const std::string& host, std::uint32_t index) const;

  std::vector<std::string> peer_of_;  // each end
  std::set<std::string> peers_;
  State state_ = State::reserving;
  std::set<std::string> swapped_;
  LostEnds lost_;  // on the peers, or in going live; kept to be said again
};

std::string_view name(Destination::State state);

}  // namespace sockswap::move
