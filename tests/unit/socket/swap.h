// A whole move between two sockets of this process, as the two daemons would do it.
#pragma once

#include "base/fd.h"
#include "socket/end.h"
#include "socket/reconcile.h"

namespace sockswap::test {

// Both captured, and reconciled as a move does it.
struct Frozen {
  socket::FrozenEnd moving, staying;
  socket::Image moving_image, staying_image;
};
Result<Frozen> freeze_both(socket::Kernel& kernel, Fd moving, const Fd& staying);
// The rest of the move. Gives the moved socket.
Result<Fd> move_frozen(socket::Kernel& kernel, Frozen frozen, const Endpoint& to);

// Moves `moving` to `to` (port 0: any) and re-points `staying` in place. Gives the moved socket.
Result<Fd> swap_end(socket::Kernel& kernel, Fd moving, const Fd& staying, const Endpoint& to);

}  // namespace sockswap::test
