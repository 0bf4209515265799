// The moves that re-point ends which stay on this host, and what became of the last of them.
//
// A daemon may end at any instant, and a program that knows nothing of us must not stay stopped because of
// it. Where this host is the arbiter, the swap is the commit: as long as it hasn't come, undoing is certain
// to be right, and the keeper does so by itself after the hold limit. A later swap() is told. Elsewhere
// nobody here may decide: then the programs run on as in an outage of the network, and their ends wait.
#pragma once

#include <chrono>
#include <deque>
#include <map>
#include <optional>

#include "keeper/peer_ends.h"
#include "move/id.h"

namespace sockswap::keeper {

// The moves of other hosts wait less for each other: an arbiter that hears nothing for so long won't.
inline constexpr std::chrono::milliseconds default_hold_limit{5000};

class Peers {
 public:
  using Clock = std::chrono::steady_clock;

  Peers(Environment& environment, std::chrono::milliseconds hold_limit)
      : environment_(environment), hold_limit_(hold_limit) {}

  Result<Answer> find(const move::MoveId& id, const wire::keeper::Find& request);
  Result<Answer> hold(const move::MoveId& id, const wire::keeper::Hold& request,
                      const std::vector<Bytes>& in_flight);
  Result<Answer> swap(const move::MoveId& id);
  Result<Answer> resume(const move::MoveId& id);
  Result<Answer> undo(const move::MoveId& id);
  Result<Answer> forget(const move::MoveId& id);

  // When on_time() has something to do; nullopt: never.
  std::optional<Clock::time_point> next_deadline() const;
  void on_time(Clock::time_point now);

  // Undoes what isn't swapped, and lets all programs go.
  void end_all();

  bool empty() const { return moves_.empty() && past_.empty(); }
  void list(wire::keeper::Kept& kept) const;

 private:
  struct Move {
    PeerEnds ends;
    bool arbiter = false;
    Clock::time_point since;  // it reached its stage
  };
  struct Past {
    keep::Stage stage;  // resumed or undone
    move::LostEnds lost;
    std::vector<FourTuple> ends;
    Clock::time_point since;
  };
  using Moves = std::map<move::MoveId, Move>;
  std::optional<Clock::time_point> deadline(const Move& move) const;
  void give_up(Moves::iterator move);
  static void rest(const move::MoveId& id, Move& move);
  Result<> undo(Moves::iterator move);
  Result<> resume(Moves::iterator move);
  void remember(const move::MoveId& id, const Move& move, keep::Stage stage);

  Environment& environment_;
  std::chrono::milliseconds hold_limit_;
  Moves moves_;
  std::map<move::MoveId, Past> past_;
  std::deque<move::MoveId> past_order_;  // oldest first; may name some that are forgotten
};

}  // namespace sockswap::keeper
