// Which parts of a host in a move hear a message, and what is said in place of a part that isn't there. Pure.
#pragma once

#include <string>
#include <vector>

#include "move/id.h"
#include "wire/session.pb.h"

namespace sockswap::move {

// A host's parts in one move, as it knows them now.
struct Parts {
  bool origin = false;
  bool destination = false;
  bool peer = false;
};

struct Dispatch {
  Parts to;                            // these hear it
  Parts begins;                        // these begin with it
  std::vector<wire::Message> answers;  // to its sender, from parts that aren't there
};

// A part that isn't there was never begun, is over, or was lost with its sockets: a host that keeps its
// sockets keeps its journal. So it may say so with certainty. `dropped`: this host had a destination's part
// and has undone it, as far as it remembers. `self`: this host's name, for people.
Dispatch dispatch(const wire::Message& message, const Parts& here, bool dropped, const std::string& self);

}  // namespace sockswap::move
