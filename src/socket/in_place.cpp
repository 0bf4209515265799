#include "socket/in_place.h"

#include <socket_swap.h>

#include <cerrno>
#include <cstring>

namespace sockswap::socket {
namespace {

Result<> call(Kernel& kernel, int fd, ::socket_swap& swap, unsigned flags) {
  if (kernel.socket_swap(fd, &swap, flags) == 0) return {};
  if (errno == ENOSYS)
    return system_failure(errno, "this kernel has no socket_swap(2)", ErrorCode::unsupported);
  if (errno == EBADE)
    return system_failure(errno, "the two can't be ends of one connection", ErrorCode::disagreement);
  return system_failure(errno, "socket_swap");
}

}  // namespace

Result<Position> look(Kernel& kernel, int fd) {
  ::socket_swap swap{};
  SOCKSWAP_CHECK(call(kernel, fd, swap, SOCKET_SWAP_LOOK));
  return Position{Sequence(swap.snd_una), Sequence(swap.snd_nxt), Sequence(swap.write_seq),
                  Sequence(swap.rcv_nxt)};
}

Result<> swap_in_place(Kernel& kernel, int fd, const Position& other, ByteView in_flight,
                       const Endpoint& remote) {
  ::socket_swap swap{};
  sockaddr_storage address{};
  const socklen_t size = remote.to_sockaddr(remote.address.is_v4() ? AF_INET : AF_INET6, address);
  std::memcpy(swap.remote, &address, size);
  swap.other_snd_una = other.snd_una.value();
  swap.other_snd_nxt = other.snd_nxt.value();
  swap.other_rcv_nxt = other.rcv_nxt.value();
  swap.in_flight = reinterpret_cast<std::uintptr_t>(in_flight.data());
  swap.in_flight_size = static_cast<std::uint32_t>(in_flight.size());
  return call(kernel, fd, swap, 0);
}

}  // namespace sockswap::socket
