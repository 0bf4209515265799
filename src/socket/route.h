// Is there a way from here to there? Asked before anything is frozen: connect() in repair mode needs a route,
// and would find out only when the end has no other place left.
#pragma once

#include "socket/end.h"

namespace sockswap::socket {

// `place.local` is an address of this host and `place.remote` can be routed to from it (by a datagram socket's
// bind() and connect(): nothing is sent). Else unreachable.
Result<> check_route(Kernel& kernel, const Place& place);

}  // namespace sockswap::socket
