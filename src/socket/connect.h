// The step that rebuilding on a fresh socket and re-pointing in place have in common: a bound,
// unconnected socket in repair mode becomes the end that an image describes, connected to where the other end
// now is.
#pragma once

#include "socket/handle.h"
#include "socket/image.h"
#include "socket/options.h"

namespace sockswap::socket {

struct Wiring {
  Endpoint remote;
  Buffers buffers_now;              // what the socket has; {} where that isn't known
  std::span<const Option> options;  // those of `image` that this socket lacks
};

// Afterwards the end is complete but for the unsent bytes and the sleeping options: repair mode is on
// with no queue selected, so that it takes and acknowledges what arrives and sends nothing of its own
// (unless image.sent is not empty: that is retransmitted like any unacknowledged data).
// On failure the socket is somewhere in between: disconnect() it, or close it. Nothing was sent.
Result<> connect_in_place(const Handle& end, const Image& image, const Wiring& wiring);

// Has the connected socket the local endpoint that the other end is told? Where to_bind() left the address to
// the route, or the program had bound the port alone.
Result<> check_local(const Handle& end, const Endpoint& wanted);

}  // namespace sockswap::socket
