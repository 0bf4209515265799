#include "socket/route.h"

#include <fmt/format.h>

#include <cerrno>

#include "socket/handle.h"

namespace sockswap::socket {

Result<> check_route(Kernel& kernel, const Place& place) {
  const int family = place.local.address.is_v4() ? AF_INET : AF_INET6;
  const Fd probe(kernel.socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!probe) return system_failure(errno, "can't make a datagram socket", ErrorCode::no_resources);
  const Handle end(kernel, probe.get());
  auto routed = end.bind(family, {place.local.address, 0});
  if (routed) routed = end.connect(family, place.remote);
  if (routed) return {};
  return failure(Error{
      .code = ErrorCode::unreachable,
      .message = fmt::format("no way from {} to {}", place.local.address.text(), place.remote.address.text()),
      .hint = "look at `ip address` and `ip route get` there",
      .sys_errno = routed.error().sys_errno});
}

Result<Endpoint> to_bind(Kernel& kernel, int family, const Place& place) {
  if (!place.local.address.is_loopback() || place.remote.port == 0) return place.local;
  const int route_family = place.local.address.is_v4() ? AF_INET : AF_INET6;
  const Fd probe(kernel.socket(route_family, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!probe) return system_failure(errno, "can't make a datagram socket", ErrorCode::no_resources);
  const Handle end(kernel, probe.get());
  SOCKSWAP_CHECK(end.connect(route_family, place.remote));
  SOCKSWAP_TRY(const Handle::Local chosen, end.local());
  if (chosen.endpoint.address != place.local.address) return place.local;
  return Endpoint{family == AF_INET ? Address() : Address::v6(in6addr_any), place.local.port};
}

}  // namespace sockswap::socket
