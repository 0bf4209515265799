// Is there a way from here to there? Asked before anything is frozen: connect() in repair mode needs a route,
// and would find out only when the end has no other place left.
#pragma once

#include "socket/end.h"

namespace sockswap::socket {

// `place.local` is an address of this host and `place.remote` can be routed to from it (by a datagram
// socket's bind() and connect(): nothing is sent). Else unreachable.
Result<> check_route(Kernel& kernel, const Place& place);

// What to bind so that the socket will live at `place.local`. That itself, as a rule: the route, on a host
// with several addresses, could choose another one than the other end was told. But a bind() to an address
// holds for the socket's life, and one to loopback would tie an end to its host for ever. So if the address
// is a loopback one and the route to `place.remote` chooses it anyway, only the port is bound.
Result<Endpoint> to_bind(Kernel& kernel, int family, const Place& place);

}  // namespace sockswap::socket
