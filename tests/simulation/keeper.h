// What a host keeps in its kernel for the moves of its daemon, and for longer than its daemon lives: the
// simulated sockswap-keeper. Every call may be repeated, and gives the same answer again.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "clock.h"
#include "kernel.h"
#include "move/journal_log.h"
#include "move/lost_ends.h"
#include "mutant.h"
#include "socket/end.h"

namespace sockswap::simulation {

class Keeper {
 public:
  Keeper(Clock& clock, Kernels& kernels, int host, Mutant mutant)
      : clock_(clock), kernels_(kernels), host_(host), mutant_(mutant) {}

  // ---- origin ----
  Result<std::vector<socket::Image>> freeze(const move::MoveId& id, std::vector<std::shared_ptr<End>> ends);
  void release(const move::MoveId& id);
  void thaw(const move::MoveId& id);

  // ---- destination ----
  std::vector<Endpoint> reserve(const move::MoveId& id, const wire::Offer& offer);
  Result<> rebuild(const move::MoveId& id, const std::vector<socket::Image>& images);
  // The ends that are live now; the program that gets them owns them.
  std::vector<std::shared_ptr<End>> let_go(const move::MoveId& id, const move::LostEnds& lost);
  void drop(const move::MoveId& id);
  void forget(const move::MoveId& id) { destinations_.erase(id); }

  // ---- peer ----
  struct Staying {
    std::uint32_t index = 0;
    std::shared_ptr<End> end;
    socket::Position moving;
    socket::Place place;
    Bytes in_flight;
    std::optional<socket::Image> image;
    socket::Position position;
  };
  Result<> hold(const move::MoveId& id, bool arbiter, std::vector<Staying> ends);
  const std::vector<Staying>& held(const move::MoveId& id) const { return peers_.at(id).ends; }
  bool swap(const move::MoveId& id);  // false: undone already
  void resume(const move::MoveId& id);
  void undo(const move::MoveId& id);
  void forget_peer(const move::MoveId& id);

  // What a restarted daemon knows nothing of is as it was before.
  void undo_all_but(const std::map<move::PartKey, move::Records>& known);
  void power_off();
  bool empty() const;

 private:
  struct Arriving {
    std::vector<FourTuple> tuples;
    std::vector<Party*> parties;
    std::vector<std::shared_ptr<End>> ends;
    bool live = false;
  };
  struct Holding {
    enum class Stage { held, swapped, undone };
    Stage stage = Stage::held;
    std::vector<Staying> ends;
    std::uint64_t number = 0;
  };
  void undo(Holding& holding);

  Clock& clock_;
  Kernels& kernels_;
  int host_;
  Mutant mutant_;
  std::uint64_t made_ = 0;
  std::map<move::MoveId, std::vector<std::shared_ptr<End>>> origins_;
  std::map<move::MoveId, Arriving> destinations_;
  std::map<move::MoveId, Holding> peers_;
};

}  // namespace sockswap::simulation
