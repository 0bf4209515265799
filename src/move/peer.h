// The peer's part of a move: its host holds the staying ends, and they are re-pointed in place. No I/O;
// see actions.h.
//
//   finding ─▶ found ──Hold──▶ holding ─▶ held ──Swap──▶ swapping ─▶ swapped ──Forget──▶ finished
//      └─────────┴── failure, Undo ──┴──────┼─ Undo ──────────────────────────────────▶ finished
//                                           └─ the arbiter's patience ends ─▶ undone ─▶ finished
//
// The arbiter's swap is the commit, so the arbiter is never in doubt: whatever it does in `held`, swap or
// undo, is the decision. Any other peer may not decide; it asks whoever may know.
//
// Invariants: nothing is frozen in `finding` and `found`; in `held` nothing has changed yet, thawing restores
// everything; what is undone is never swapped, and the other way round.
#pragma once

#include <set>

#include "move/actions.h"
#include "move/id.h"
#include "move/journal.h"

namespace sockswap::move {

class Peer {
 public:
  using Action = std::variant<action::Send, action::Write, action::Step, action::SetTimer, action::FindEnds,
                              action::HoldEnds, action::SwapEnds, action::ResumeHolders, action::ThawEnds,
                              action::Finish>;
  using Actions = std::vector<Action>;
  enum class State { finding, found, holding, held, swapping, swapped, undone, finished };

  // `self`: this host.
  Peer(MoveId id, std::string self, std::string origin, const wire::Find& find);
  Actions start();

  // As it was when its daemon ended, from its records; none if nothing is left to do. Then resume().
  static std::optional<Peer> restore(const std::string& self, const Records& records);
  Actions resume();

  Actions on_message(const std::string& from, const wire::Message& message);
  Actions on_found();
  struct HeldEnd {
    std::uint32_t index;  // in the move
    socket::Position staying;
  };
  Actions on_held(const std::vector<HeldEnd>& ends);
  Actions on_swapped(const LostEnds& lost);
  Actions on_undone_already();        // of SwapEnds: the ends were given up before it (see hold_limit)
  Actions on_failure(Error error);    // of FindEnds or HoldEnds
  Actions on_unwritten(Error error);  // see action::Write
  Actions on_host_lost(const std::string& host);
  Actions on_timer();
  Actions settle(bool moved);  // an operator's word; nothing happens unless in doubt

  State state() const { return state_; }
  bool in_doubt() const { return state_ == State::held && !is_arbiter(); }
  const std::string& origin() const { return origin_; }
  const std::string& destination() const { return find_.destination(); }
  const wire::Find& find() const { return find_; }
  bool is_arbiter() const { return arbiter_ == self_; }

 private:
  bool may_say_swap(const std::string& host) const;
  Actions hold(const wire::Hold& hold);
  Actions swap();
  Actions undo(bool say_undone);  // by somebody's word: nobody will ask
  Actions give_up();              // by the arbiter's own decision, to be remembered
  Actions take_undone(const std::string& from, wire::Role by);
  Actions take_unknown(const std::string& from, wire::Role by);
  Actions doubt();
  Actions answer(const std::string& from) const;
  Actions ask() const;
  action::Write end();  // the last record of a part that is over now
  Actions finish();
  action::Send say_undone(const std::string& to) const;
  action::Send say_swapped(const std::string& to) const;
  wire::Message message() const;

  MoveId id_;
  std::string self_;
  std::string origin_;
  wire::Find find_;
  std::string arbiter_;  // from Hold
  State state_ = State::finding;
  LostEnds lost_;                // in swapping, kept to be said again
  bool origin_doubts_ = false;   // it has been told that this end waits, and counts on it
  std::set<wire::Role> forgot_;  // of the origin, the arbiter and the destination, who have no memory
  int timers_ = 0;               // in `undone`
};

std::string_view name(Peer::State state);

}  // namespace sockswap::move
