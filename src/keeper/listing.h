// The host's connections and the programs that hold them, for `sockswap ls` and for an operator's move.
#pragma once

#include "keeper/environment.h"

namespace sockswap::keeper {

// All, or the one that the request names (none if there is no such). Connections that only sockswap itself
// holds are left out.
Result<Answer> list_connections(const Environment& environment, const wire::keeper::ListConnections& request);

}  // namespace sockswap::keeper
