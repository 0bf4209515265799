#include <fmt/format.h>
#include <netinet/in.h>

#include <cerrno>

#include "socket/connect.h"
#include "socket/dormant_state.h"
#include "socket/route.h"

namespace sockswap::socket {
namespace {

Result<Fd> fresh_socket(Kernel& kernel, int family) {
  Fd fd(kernel.socket(family, SOCK_STREAM | SOCK_CLOEXEC, IPPROTO_TCP));
  if (!fd) return system_failure(errno, "can't make a TCP socket", ErrorCode::no_resources);
  return fd;
}

}  // namespace

Result<Reservation> reserve(Kernel& kernel, int family, const Endpoint& wanted, const Endpoint& remote) {
  const auto attempt = [&]() -> Result<Reservation> {
    if (family != AF_INET && (family != AF_INET6))
      return failure(ErrorCode::usage, fmt::format("address family {} is not IP", family));
    if (family == AF_INET && !wanted.address.is_v4())
      return failure(ErrorCode::usage, "an IPv4 socket can't have an IPv6 address");
    SOCKSWAP_TRY(Fd fd, fresh_socket(kernel, family));
    const Handle end(kernel, fd.get());
    // net.ipv6.bindv6only would refuse a v4-mapped address.
    if (family == AF_INET6 && wanted.address.is_v4())
      SOCKSWAP_CHECK(end.set(IPPROTO_IPV6, IPV6_V6ONLY, 0, "IPV6_V6ONLY"));
    // Repair mode lets bind() share a port with anybody. Where the kernel is to pick a free one, it must
    // not come before.
    if (wanted.port != 0) SOCKSWAP_CHECK(repair_on(end));
    SOCKSWAP_TRY(const Endpoint bound, to_bind(kernel, family, {wanted, remote}));
    SOCKSWAP_CHECK(end.bind(family, bound));
    if (wanted.port == 0) SOCKSWAP_CHECK(repair_on(end));
    SOCKSWAP_TRY(const Handle::Local got, end.local());
    return Reservation{std::move(fd), {wanted.address, got.endpoint.port}};
  };
  auto reserved = attempt();
  if (!reserved)
    return failure(std::move(reserved).error().while_doing(fmt::format("reserve {}", wanted.text())));
  return reserved;
}

Result<DormantEnd> rebuild(Kernel& kernel, Reservation reservation, const Image& image,
                           const Endpoint& remote) {
  const auto attempt = [&]() -> Result<DormantEnd> {
    SOCKSWAP_CHECK(validate(image));
    const Handle end(kernel, reservation.fd.get());
    SOCKSWAP_CHECK(connect_in_place(end, image, {remote, Buffers{}, image.options}));
    SOCKSWAP_CHECK(check_local(end, reservation.local));
    return DormantEnd(std::make_unique<DormantEnd::State>(
        std::move(reservation.fd), Hold::of_fresh(end, image.options), image, Buffers{}));
  };
  auto rebuilt = attempt();
  if (!rebuilt)
    return failure(std::move(rebuilt).error().while_doing(
        fmt::format("rebuild {} as {}", image.tuple.text(), FourTuple{reservation.local, remote}.text())));
  return rebuilt;
}

}  // namespace sockswap::socket
