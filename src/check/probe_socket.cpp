#include <linux/filter.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <cerrno>

#include "check/lacking.h"
#include "check/probes.h"

#ifndef SO_BUF_LOCK
#define SO_BUF_LOCK 72
#endif

namespace sockswap::check {
namespace {

constexpr const char* kAdmin = "CAP_NET_ADMIN";

int set(const Fd& fd, int level, int name, int value) {
  return ::setsockopt(fd.get(), level, name, &value, sizeof value);
}

Result<Connection> connection_in_repair() {
  SOCKSWAP_TRY(Connection connection, connect_loopback());
  if (set(connection.client, IPPROTO_TCP, TCP_REPAIR, TCP_REPAIR_ON) != 0)
    return lacking(errno, {"TCP_REPAIR", kAdmin, "3.5"});
  return connection;
}

int attach_drop_filter(const Fd& fd) {
  sock_filter drop[] = {BPF_STMT(BPF_RET | BPF_K, 0)};
  const sock_fprog program{.len = 1, .filter = drop};
  return ::setsockopt(fd.get(), SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program);
}

bool readable(const Fd& fd) {
  pollfd waiting{.fd = fd.get(), .events = POLLIN | POLLRDHUP, .revents = 0};
  return ::poll(&waiting, 1, 0) != 0;
}

}  // namespace

Result<> probe_tcp_repair() {
  SOCKSWAP_TRY(const Connection connection, connection_in_repair());
  return {};
}

Result<> probe_tcp_repair_window() {
  SOCKSWAP_TRY(const Connection connection, connection_in_repair());
  tcp_repair_window window{};
  socklen_t size = sizeof window;
  if (::getsockopt(connection.client.get(), IPPROTO_TCP, TCP_REPAIR_WINDOW, &window, &size) != 0 ||
      ::setsockopt(connection.client.get(), IPPROTO_TCP, TCP_REPAIR_WINDOW, &window, size) != 0)
    return lacking(errno, {"TCP_REPAIR_WINDOW", kAdmin, "4.8"});
  return {};
}

Result<> probe_tcp_timestamp() {
  SOCKSWAP_TRY(const Connection connection, connection_in_repair());
  int stamp = 0;
  socklen_t size = sizeof stamp;
  if (::getsockopt(connection.client.get(), IPPROTO_TCP, TCP_TIMESTAMP, &stamp, &size) != 0 ||
      set(connection.client, IPPROTO_TCP, TCP_TIMESTAMP, stamp) != 0)
    return lacking(errno, {"TCP_TIMESTAMP", kAdmin, "3.9"});
  return {};
}

Result<> probe_tcp_repair_no_probe() {
  SOCKSWAP_TRY(const Connection connection, connection_in_repair());
  if (set(connection.client, IPPROTO_TCP, TCP_REPAIR, TCP_REPAIR_OFF_NO_WP) != 0)
    return lacking(errno, {"TCP_REPAIR_OFF_NO_WP", kAdmin, "4.18"});
  return {};
}

Result<> probe_drop_filter() {
  SOCKSWAP_TRY(const Connection connection, connect_loopback());
  if (attach_drop_filter(connection.server) != 0) return lacking(errno, {"SO_ATTACH_FILTER", nullptr, "2.2"});
  if (::send(connection.client.get(), "x", 1, MSG_NOSIGNAL) != 1)
    return system_failure(errno, "send over loopback");
  if (readable(connection.server))
    return failure(ErrorCode::unsupported, "a socket filter doesn't stop TCP data");
  return {};
}

Result<> probe_filter_read_back() {
  SOCKSWAP_TRY(const Connection connection, connect_loopback());
  if (attach_drop_filter(connection.server) != 0) return lacking(errno, {"SO_ATTACH_FILTER", nullptr, "2.2"});
  sock_filter instruction{};
  socklen_t count = 1;  // in instructions, not bytes
  if (::getsockopt(connection.server.get(), SOL_SOCKET, SO_GET_FILTER, &instruction, &count) != 0)
    return lacking(errno, {"SO_GET_FILTER", nullptr, "3.8"});
  if (count != 1 || instruction.code != (BPF_RET | BPF_K) || instruction.k != 0)
    return failure(ErrorCode::unsupported, "SO_GET_FILTER doesn't give the filter back");
  return {};
}

Result<> probe_silent_disconnect() {
  SOCKSWAP_TRY(const Connection connection, connection_in_repair());
  sockaddr nowhere{};
  nowhere.sa_family = AF_UNSPEC;
  if (::connect(connection.client.get(), &nowhere, sizeof nowhere) != 0)
    return lacking(errno, {"disconnect in repair mode", kAdmin, "3.5"});
  if (readable(connection.server))
    return failure(ErrorCode::unsupported, "a disconnect in repair mode is not silent");
  return {};
}

Result<> probe_sock_buf_lock() {
  const Fd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (set(fd, SOL_SOCKET, SO_BUF_LOCK, 0) != 0) return lacking(errno, {"SO_BUF_LOCK", nullptr, "5.14"});
  return {};
}

Result<> probe_sndbufforce() {
  const Fd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  constexpr int kWanted = 32 * 1024 * 1024;  // beyond any usual net.core.wmem_max
  if (set(fd, SOL_SOCKET, SO_SNDBUFFORCE, kWanted) != 0)
    return lacking(errno, {"SO_SNDBUFFORCE", kAdmin, "2.6.14"});
  int size = 0;
  socklen_t length = sizeof size;
  ::getsockopt(fd.get(), SOL_SOCKET, SO_SNDBUF, &size, &length);
  if (size < kWanted) return failure(ErrorCode::unsupported, "SO_SNDBUFFORCE gives less than asked for");
  return {};
}

Result<> probe_ipv6() {
  const Fd fd(::socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in6 address{};
  address.sin6_family = AF_INET6;
  address.sin6_addr = in6addr_loopback;
  if (!fd)
    return failure(Error{.code = ErrorCode::unsupported,
                         .message = "IPv6 sockets",
                         .hint = "IPv6 is not in this kernel, or disabled",
                         .sys_errno = errno});
  if (::bind(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0)
    return failure(Error{.code = ErrorCode::unsupported,
                         .message = "bind to ::1",
                         .hint = "net.ipv6.conf.lo.disable_ipv6 may be set",
                         .sys_errno = errno});
  return {};
}

}  // namespace sockswap::check
