// The staying ends on their host, as one set: found, held, re-pointed in place by the keeper. What is checked
// here is who may ask for it.
#pragma once

#include <optional>
#include <vector>

#include "daemon/context.h"
#include "keep/client.h"
#include "move/peer.h"

namespace sockswap::daemon {

class PeerEnds {
 public:
  PeerEnds(keep::Client& keeper, move::MoveId id) : keeper_(keeper), id_(id) {}

  // Finds every end, and refuses whatever can be refused before anything is frozen: not here, not
  // movable, no holder that can be paused, or not the asking host's to re-point.
  Result<> find(const Context& context, const std::string& asking, const wire::Find& find);

  // Those of a find that a daemon before this one had asked for.
  void restore(const wire::Find& find);

  // Once it is clear that the ends may go where they are to go: pauses the holders, freezes and captures, and
  // prepares all that swap() will need. `in_flight`: Hold's attachments. After a failure everything is as it
  // was.
  Result<keep::HeldStaying> hold(const Context& context, const std::string& destination,
                                 const wire::Hold& hold, bool arbiter, const std::vector<Bytes>& in_flight);

  // Re-points all and thaws them. What failed is listed, and disconnected, so that its program gets an error
  // and not a hang; the others go on. The holders still stand still. None if the keeper had undone the hold
  // by then.
  std::optional<move::LostEnds> swap();

  // After swap(): lets the holders go.
  Result<> resume();

  // Undo: thaws, and lets the holders go; of ends that are swapped already, lets the holders go. Forgets
  // them.
  Result<> thaw();

  // Nobody will ask again what became of them.
  Result<> forget() { return keeper_.forget(id_); }

  std::vector<FourTuple> tuples() const;

 private:
  keep::Client& keeper_;
  move::MoveId id_;
  std::vector<keep::Sought> ends_;
};

}  // namespace sockswap::daemon
