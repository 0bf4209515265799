// What a keeper that was killed has left behind: ends that programs here hold, frozen still. Its own
// descriptors are closed with it, and its paused programs run again; so what is left to be done is to thaw,
// and no journal is needed to do it: the sockets themselves say what they are (socket/mark.h).
#pragma once

#include "base/result.h"
#include "socket/kernel.h"

namespace sockswap::keeper {

// Of all sockets that processes here hold, in this network namespace. To be called before anything is frozen
// by this process; it looks at every socket of the host (microseconds each). Those that another keeper has,
// which lives, are left alone, and so is what can't be thawed. The log names what was found.
Result<> rescue_orphans(socket::Kernel& kernel);

}  // namespace sockswap::keeper
