// Reads a frozen end into an image. Changes nothing that outlives the freeze: the repair queue is back
// at none afterwards, also on failure.
#pragma once

#include "socket/options.h"
#include "socket/repair.h"
#include "socket/send_stop.h"

namespace sockswap::socket {

// What is read before the freeze, since it can't change while the program is paused.
struct Identity {
  FourTuple tuple;
  int family = 0;
  bool operator==(const Identity&) const = default;
};

// `options` are those from before the freeze. not_movable if a FIN or urgent data came in while the end
// was being frozen; busy if its queues don't come to rest.
Result<Image> capture_image(const Handle& end, const Identity& identity, const Options& options,
                            SendStop& stop);

}  // namespace sockswap::socket
