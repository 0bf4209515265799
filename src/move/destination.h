// The destination's part of a move: it makes the ends again. No I/O; see actions.h.
//
//   reserving ─▶ waiting ──deliver──▶ rebuilding ─▶ ready ──all peers swapped, or Activate──▶ live ─▶
//   finished
//       └───────────┴────── any failure, Undo ──────┴─ the arbiter has undone ─▶ finished
//
// Invariants: before `live` nothing of this end is visible to anybody, and dropping it is silent. Once
// Ready has been said only somebody's word ends the waiting: the origin's, the arbiter's, or that of all
// peers. If the origin has lost its memory, which it can only with its sockets, this machine collects what is
// left of the connections: those that a peer has swapped go live, the others are lost with their moving ends.
#pragma once

#include <set>

#include "move/actions.h"
#include "move/id.h"
#include "move/journal.h"

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

  // As it was when its daemon ended, from its records; none if nothing is left to do. Then resume().
  static std::optional<Destination> restore(const Records& records);
  Actions resume();

  Actions on_message(const std::string& from, const wire::Message& message);
  Actions on_reserved(const std::vector<Endpoint>& locals);
  Actions on_state_taken();
  Actions on_rebuilt();
  Actions on_live(const LostEnds& lost);  // those that LetGo named may be among them
  Actions on_failure(Error error);        // of ReserveEnds, TakeState or RebuildEnds
  Actions on_unwritten(Error error);      // see action::Write
  Actions on_receiver_gone(Error error);
  Actions on_host_lost(const std::string& host);
  Actions on_timer();
  Actions settle(bool moved);  // an operator's word; nothing happens unless ready

  State state() const { return state_; }
  bool in_doubt() const { return state_ == State::ready; }
  const std::string& origin() const { return origin_; }
  const wire::Offer& offer() const { return offer_; }
  bool dropped() const { return state_ == State::finished && !was_live_; }  // undone

 private:
  Actions refuse(const Error& error);
  Actions drop(bool say_undone);
  action::Write end();  // the last record of a part that is over now
  Actions finish();
  Actions go_live();
  Actions take_undone(const std::string& from, wire::Role by);
  Actions take_unknown(const std::string& from, wire::Role by);
  Actions give_up_peer(const std::string& peer);
  Actions collect();
  Actions doubt();
  // Whether nothing is said or done here on a peer's word, since a doubting origin counts who has swapped.
  bool origin_decides() const { return origin_doubts_ && !origin_forgot_; }
  Actions answer(const std::string& from);
  Actions ask() const;
  action::Send say_activated(const std::string& to) const;
  Actions activated(const std::string& to) const;
  action::Send say_undone(const std::string& to) const;
  action::Send say_refuse(const Error& error) const;
  wire::Message message() const;
  bool is_of(const std::string& host, std::uint32_t index) const;
  const std::string& arbiter() const { return offer_.ends(0).peer(); }

  MoveId id_;
  std::string origin_;
  wire::Offer offer_;
  std::set<std::string> peers_;
  State state_ = State::reserving;
  std::set<std::string> swapped_;
  std::set<std::string> given_up_;  // peers that won't swap any more
  bool origin_doubts_ = false, origin_forgot_ = false;
  bool was_live_ = false, handed_over_ = false;
  LostEnds lost_;  // on the peers, or in going live; kept to be said again
};

std::string_view name(Destination::State state);

}  // namespace sockswap::move
