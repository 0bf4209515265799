// Moves of the same connection are serialised: while one runs, its ends on this host are locked.
#pragma once

#include "base/endpoint.h"
#include "move/busy_set.h"

namespace sockswap::daemon {

class ConnectionLocks {
 public:
  using Lock = move::BusySet<FourTuple>::Lock;

  // All of them, as this host's ends see them, or none: busy.
  Result<Lock> lock(std::vector<FourTuple> tuples) {
    return locked_.lock(std::move(tuples), [](const FourTuple& tuple) { return tuple.text(); });
  }

 private:
  move::BusySet<FourTuple> locked_;
};

}  // namespace sockswap::daemon
