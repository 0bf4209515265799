// The staying end where the kernel has socket_swap(2) (kernel/): re-pointed by one call, while its program
// runs on and uses it. Nothing is frozen before, and nothing has to be undone.
#pragma once

#include "socket/end.h"

namespace sockswap::socket {

// Where the connection stands now; it goes on. unsupported if this kernel has no such call.
Result<Position> look(Kernel& kernel, int fd);

// From here on its other end is at `remote`. That stands still at `other`, and what it had in flight,
// [snd_una, snd_nxt) of `other`, is received here if it wasn't yet. On failure the end is what it was.
Result<> swap_in_place(Kernel& kernel, int fd, const Position& other, ByteView in_flight,
                       const Endpoint& remote);

}  // namespace sockswap::socket
