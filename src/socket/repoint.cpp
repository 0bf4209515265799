#include <fmt/format.h>

#include <cerrno>

#include "socket/buffers.h"
#include "socket/connect.h"
#include "socket/dormant_state.h"
#include "socket/frozen_state.h"
#include "socket/route.h"

namespace sockswap::socket {
namespace {

Result<> check_place(const Image& image, const Identity& identity, const Place& place) {
  if (image.family != identity.family) return failure(ErrorCode::usage, "the image is of another socket");
  // A v4-mapped socket has switched to the IPv4 operations and never switches back (tcp_v6_connect).
  const bool was_v4 = identity.tuple.local.address.is_v4();
  if (place.local.address.is_v4() == was_v4 && place.remote.address.is_v4() == was_v4) return {};
  return failure(ErrorCode::not_movable, "an end can't change between IPv4 and IPv6 in place");
}

enum class Bound { fully, port_only };  // port_only: connect() will choose the address by the route

// After a disconnect a socket still has what a program's bind() locked: address and port, or the port
// alone. Everything else was given back and must be bound anew. Only bind() itself tells, by EINVAL:
// getsockname() goes on naming a port that was given back.
Result<Bound> bind_in_place(const Handle& end, int family, const Place& place) {
  const Endpoint& wanted = place.local;
  SOCKSWAP_TRY(const Endpoint bound, to_bind(end.kernel(), family, place));
  auto done = end.bind(family, bound);
  if (done) return bound == wanted ? Bound::fully : Bound::port_only;
  if (done.error().sys_errno != EINVAL) return failure(std::move(done).error());
  SOCKSWAP_TRY(const Handle::Local locked, end.local());
  if (locked.endpoint == wanted) return Bound::fully;
  if (locked.endpoint.port == wanted.port && locked.endpoint.address.is_any()) return Bound::port_only;
  return failure(ErrorCode::not_movable,
                 fmt::format("the socket is bound to {} for good and can't become {}", locked.endpoint.text(),
                             wanted.text()),
                 "re-point it with its old local address");
}

Options options_lost(const Options& options) {
  Options out;
  for (const Option& option : options)
    if (is_lost_on_reconnect(option)) out.push_back(option);
  return out;
}

Result<> rewire(const Handle& end, const Image& image, const Place& place) {
  SOCKSWAP_CHECK(disconnect(end));
  SOCKSWAP_TRY(const Bound bound, bind_in_place(end, image.family, place));
  const Options lost = options_lost(image.options);
  SOCKSWAP_CHECK(connect_in_place(end, image, {place.remote, image.buffers, lost}));
  return bound == Bound::port_only ? check_local(end, place.local) : Result<>{};
}

}  // namespace

Result<DormantEnd> FrozenEnd::repoint(const Image& image, const Place& place) {
  State& state = *state_;
  const auto attempt = [&]() -> Result<> {
    SOCKSWAP_CHECK(validate(image));
    SOCKSWAP_CHECK(check_place(image, state.identity, place));
    state.torn = true;
    SOCKSWAP_CHECK(rewire(state.hold.end(), image, place));
    // Last: from here on the end receives. What is still to be written only this process has.
    const Identity there{{place.local, place.remote}, image.family};
    return state.hold.open(image.unsent.empty() ? std::optional(there) : std::nullopt);
  };
  if (auto done = attempt(); !done)
    return failure(std::move(done).error().while_doing(
        fmt::format("re-point {} to {}", image.tuple.text(), place.remote.text())));
  return DormantEnd(
      std::make_unique<DormantEnd::State>(std::move(state.fd), std::move(state.hold), image, image.buffers));
}

}  // namespace sockswap::socket
