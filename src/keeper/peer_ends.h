// The staying ends of one move on their host: found, held, re-pointed in place, as one set.
#pragma once

#include <chrono>
#include <optional>
#include <vector>

#include "keeper/environment.h"
#include "move/lost_ends.h"
#include "process/holders.h"
#include "process/pause.h"
#include "socket/end.h"

namespace sockswap::keeper {

class PeerEnds {
 public:
  // Finds every end, and refuses whatever can be refused before anything is frozen: not here, not movable, no
  // holder that can be paused.
  static Result<PeerEnds> find(Environment& environment, const wire::keeper::Find& request);
  bool is_for(const wire::keeper::Find& request) const;

  // Pauses the holders, once it is clear that the ends may go where they are to go; then freezes, captures,
  // and makes ready what they are to be re-pointed with. After a failure undo() makes everything as it was.
  // Where the kernel has socket_swap(2) nothing is paused or frozen: that looks at the ends only.
  Result<> hold(Environment& environment, const wire::keeper::Hold& request,
                const std::vector<Bytes>& in_flight);
  Answer held() const;

  // Lets the holders run on while nobody knows yet what becomes of the move: to them it is an outage of the
  // network (FrozenEnd::rest). swap() and undo() pause them again.
  Result<> rest();
  bool resting() const { return resting_; }

  // Re-points all and thaws them. What failed is disconnected, so that its program gets an error and not a
  // hang; the others go on. The holders still stand still.
  void swap(Environment& environment);
  const move::LostEnds& lost() const { return lost_; }

  Result<> resume();                        // after swap(): lets the holders go
  Result<> undo(Environment& environment);  // thaws, and lets the holders go

  keep::Stage stage() const { return stage_; }
  std::vector<FourTuple> tuples() const;

 private:
  struct End {
    std::uint32_t index = 0;  // in the move
    FourTuple tuple;          // as it was
    std::uint32_t inode = 0;
    std::vector<process::Holder> holders;
    // A copy of its program's. To the end, so that closing the frozen one is never the last close: the
    // program may have been killed, and may have wanted the close to linger.
    std::optional<ForeignFd> kept;
    socket::Position moving;  // from Hold
    socket::Place place;      // from Hold
    ByteView in_flight;       // from Hold: the moving end's; in hold() only
    Bytes not_received;       // of them, what this end lacked; in rest() only
    Bytes in_flight_kept;     // the same, for a swap in place
    bool ordered = false;     // Hold has named it
    socket::Position staying;
    std::optional<socket::FrozenEnd> frozen;
    std::optional<socket::Image> image;  // to be re-pointed with
  };
  static Result<End> locate(const wire::keeper::Find::End& sought);
  Result<> find_holders(const Environment& environment);  // of all ends, and whether they can be paused
  Result<> take_orders(Environment& environment, const wire::keeper::Hold& request,
                       const std::vector<Bytes>& in_flight);
  // Whether this kernel swaps them all in place; then where they stand is known.
  bool look(Environment& environment);
  Result<> hold_in_place();
  Result<> pause_holders(const Environment& environment);
  Result<> pause_again(const Environment& environment);  // after rest(), if anybody holds them
  static Result<> freeze_one(Environment& environment, End& end);
  // Captures, and makes the image that it is to be re-pointed with.
  static Result<> prepare(End& end, socket::Sequence from, ByteView in_flight);
  static Result<> freeze_again(End& end);
  static Result<> repoint(End& end);
  Result<> disconnect(Environment& environment, End& end);
  std::vector<std::uint32_t> inodes() const;

  keep::Stage stage_ = keep::Stage::found;
  FrozenSockets::Lock lock_;               // before ends_: unlocked when all are thawed
  std::optional<process::Pauser> pauser_;  // until they are held
  std::optional<process::Paused> paused_;  // before ends_: the ends thaw first, then the programs run
  bool resting_ = false;
  bool in_place_ = false;  // by socket_swap(2): held without being frozen
  std::chrono::microseconds pausing_{};
  std::vector<End> ends_;
  move::LostEnds lost_;
};

}  // namespace sockswap::keeper
