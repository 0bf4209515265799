#include <fmt/format.h>
#include <linux/tcp.h>

#include <array>
#include <cerrno>
#include <string_view>

#include "socket/end.h"
#include "socket/filter.h"
#include "socket/repair.h"

namespace sockswap::socket {
namespace {

constexpr int kMptcp = 262;     // IPPROTO_MPTCP
constexpr int kTcpAoInfo = 40;  // TCP_AO_INFO, linux/tcp.h from 6.7 on
constexpr int kEstablished = 1;

tl::unexpected<Error> refuse(std::string why, std::string hint = {}) {
  return failure(ErrorCode::not_movable, std::move(why), std::move(hint));
}

Result<> check_protocol(const Handle& end) {
  auto protocol = end.get(SOL_SOCKET, SO_PROTOCOL, "SO_PROTOCOL");
  if (!protocol && protocol.error().sys_errno == ENOTSOCK)
    return refuse("the descriptor is not a socket", "hand over a connected TCP socket");
  if (!protocol) return failure(std::move(protocol).error());
  if (*protocol == kMptcp) return refuse("MPTCP connections don't move", "make the socket with IPPROTO_TCP");
  SOCKSWAP_TRY(const int family, end.get(SOL_SOCKET, SO_DOMAIN, "SO_DOMAIN"));
  const bool ip = family == AF_INET || family == AF_INET6;
  if (!ip || *protocol != IPPROTO_TCP)
    return refuse("the socket is not TCP", "hand over a connected TCP socket");
  return {};
}

Result<> check_state(const Handle& end) {
  SOCKSWAP_TRY(const int state, tcp_state(end));
  if (state != kEstablished)
    return refuse(fmt::format("the end is in {}", tcp_state_name(state)),
                  "only ESTABLISHED connections move");
  SOCKSWAP_TRY(const int repair, end.get(IPPROTO_TCP, TCP_REPAIR, "TCP_REPAIR"));
  if (repair != 0)
    return failure(ErrorCode::busy, "the socket is in repair mode: somebody else moves it",
                   "wait for that move to end (`sockswap moves`) and try again");
  return {};
}

// A link-local address means nothing on another link, and has a scope besides.
Result<> check_address(const Handle& end) {
  SOCKSWAP_TRY(const Handle::Local local, end.local());
  const Address& address = local.endpoint.address;
  if (!address.is_v4() && address.is_link_local())
    return refuse(
        fmt::format("{} is link-local", address.text()),
        "a link-local address means nothing on another link: connect by a global or unique-local one");
  return {};
}

Result<> check_no_layer_above(const Handle& end) {
  std::array<char, 16> name{};  // TCP_ULP_NAME_MAX
  auto size = end.get_bytes(IPPROTO_TCP, TCP_ULP, name.data(), name.size(), "TCP_ULP");
  if (!size) return failure(std::move(size).error());
  const std::string_view layer(name.data(), strnlen(name.data(), *size));
  if (layer.empty()) return {};
  return refuse(fmt::format("the kernel runs '{}' on top of this socket (TCP_ULP)", layer),
                layer == "tls" ? "switch kernel TLS off in the program's TLS library"
                               : "the state of such a layer can't be read back from the kernel");
}

// Keys are bound to addresses and can't be read back. TCP-MD5 can't be asked for on the socket: the
// kernel's table of sockets (sock_diag) tells.
Result<> check_no_keys(const Handle& end) {
  std::array<std::byte, 64> info{};
  auto size = end.get_bytes(IPPROTO_TCP, kTcpAoInfo, info.data(), info.size(), "TCP_AO_INFO");
  const int error = size ? 0 : size.error().sys_errno;
  if (error == ENOENT || error == ENOPROTOOPT) return {};  // no keys; a kernel without TCP-AO
  if (error == 0)
    return refuse("the connection is signed with TCP-AO keys", "the keys can't be read back from the kernel");
  return failure(std::move(size).error());
}

Result<> check_no_urgent(const Handle& end) {
  pollfd urgent{end.fd(), POLLPRI, 0};
  if (end.kernel().poll(&urgent, 1, 0) < 0) return system_failure(errno, "can't poll for urgent data");
  // POLLPRI comes with the urgent byte; EAGAIN here says that it is announced but hasn't arrived.
  std::byte byte{};
  const ssize_t got = end.kernel().recv(end.fd(), &byte, 1, MSG_OOB | MSG_PEEK | MSG_DONTWAIT);
  const int error = got < 0 ? errno : 0;
  if ((urgent.revents & POLLPRI) == 0 && got < 0 && error == EINVAL) return {};
  if (got < 0 && error != EINVAL && error != EAGAIN)
    return system_failure(error, "can't peek at urgent data");
  return refuse("urgent data (MSG_OOB) is pending", "try again once the program has read it");
}

}  // namespace

Result<> check_movable(Kernel& kernel, int fd) {
  const Handle end(kernel, fd);
  SOCKSWAP_CHECK(check_protocol(end));
  SOCKSWAP_CHECK(check_state(end));
  SOCKSWAP_CHECK(check_address(end));
  SOCKSWAP_CHECK(check_no_layer_above(end));
  SOCKSWAP_CHECK(check_no_keys(end));
  SOCKSWAP_TRY([[maybe_unused]] const Bytes filter, read_own_filter(end));
  return check_no_urgent(end);
}

}  // namespace sockswap::socket
