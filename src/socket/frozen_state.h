// Private to the room: what a FrozenEnd owns.
#pragma once

#include "socket/capture.h"
#include "socket/end.h"
#include "socket/hold.h"

namespace sockswap::socket {

struct FrozenEnd::State {
  Fd fd;  // first, so that it is closed last
  Hold hold;
  Identity identity;
  SendStop stop;
  bool torn = false;  // taken apart by a repoint() or release() that failed: must never come alive so

  State(Fd socket, Hold held, Identity who)
      : fd(std::move(socket)), hold(std::move(held)), identity(std::move(who)) {}
  ~State();

  Result<> thaw();
};

}  // namespace sockswap::socket
