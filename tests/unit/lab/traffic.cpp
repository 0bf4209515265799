#include "traffic.h"

#include <poll.h>
#include <sys/socket.h>

#include <cerrno>

namespace sockswap::lab::test {
namespace {

constexpr timeval kPatienceOfSockets{.tv_sec = 10, .tv_usec = 0};
constexpr int kLongSilenceMs = 5000, kShortSilenceMs = 300;

Result<Fd> socket_on(Host& host, const Endpoint& at, int type) {
  return host.inside([&]() -> Result<Fd> {
    Fd socket(::socket(at.address.is_v4() ? AF_INET : AF_INET6, type | SOCK_CLOEXEC, 0));
    if (!socket) return system_failure(errno, "socket");
    const int on = 1;
    ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    ::setsockopt(socket.get(), SOL_SOCKET, SO_RCVTIMEO, &kPatienceOfSockets, sizeof kPatienceOfSockets);
    ::setsockopt(socket.get(), SOL_SOCKET, SO_SNDTIMEO, &kPatienceOfSockets, sizeof kPatienceOfSockets);
    return socket;
  });
}

Result<Fd> bound(Host& host, const Endpoint& at, int type) {
  SOCKSWAP_TRY(Fd socket, socket_on(host, at, type));
  sockaddr_storage address{};
  const socklen_t length = at.to_sockaddr(at.address.is_v4() ? AF_INET : AF_INET6, address);
  if (::bind(socket.get(), reinterpret_cast<sockaddr*>(&address), length) != 0)
    return system_failure(errno, "bind to " + at.text());
  return socket;
}

Result<> connect_to(const Fd& socket, const Endpoint& to) {
  sockaddr_storage address{};
  const socklen_t length = to.to_sockaddr(to.address.is_v4() ? AF_INET : AF_INET6, address);
  if (::connect(socket.get(), reinterpret_cast<sockaddr*>(&address), length) != 0)
    return system_failure(errno, "connect to " + to.text());
  return {};
}

}  // namespace

LabOptions hosts_named(std::initializer_list<const char*> names, Topology topology) {
  LabOptions options;
  options.topology = topology;
  for (const char* name : names) options.hosts.push_back({.name = name});
  return options;
}

Result<Fd> listen_on(Host& host, const Endpoint& at) {
  SOCKSWAP_TRY(Fd socket, bound(host, at, SOCK_STREAM));
  if (::listen(socket.get(), 8) != 0) return system_failure(errno, "listen");
  return socket;
}

Result<Fd> connect_from(Host& host, const Endpoint& to) {
  SOCKSWAP_TRY(Fd socket, socket_on(host, to, SOCK_STREAM));
  SOCKSWAP_CHECK(connect_to(socket, to));
  return socket;
}

Result<Fd> accept_from(const Fd& listener) {
  Fd socket(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
  if (!socket) return system_failure(errno, "accept");
  ::setsockopt(socket.get(), SOL_SOCKET, SO_RCVTIMEO, &kPatienceOfSockets, sizeof kPatienceOfSockets);
  return socket;
}

Result<FourTuple> ends_of(const Fd& connection) {
  sockaddr_storage local{}, remote{};
  socklen_t length = sizeof local;
  if (::getsockname(connection.get(), reinterpret_cast<sockaddr*>(&local), &length) != 0)
    return system_failure(errno, "getsockname");
  length = sizeof remote;
  if (::getpeername(connection.get(), reinterpret_cast<sockaddr*>(&remote), &length) != 0)
    return system_failure(errno, "getpeername");
  FourTuple ends;
  SOCKSWAP_TRY(ends.local, Endpoint::from_sockaddr(local));
  SOCKSWAP_TRY(ends.remote, Endpoint::from_sockaddr(remote));
  return ends;
}

Result<> send_all(const Fd& connection, std::string_view text) {
  while (!text.empty()) {
    const ssize_t sent = ::send(connection.get(), text.data(), text.size(), MSG_NOSIGNAL);
    if (sent < 0) return system_failure(errno, "send");
    text.remove_prefix(static_cast<std::size_t>(sent));
  }
  return {};
}

Result<std::string> receive(const Fd& connection, std::size_t length) {
  std::string text(length, '\0');
  std::size_t have = 0;
  while (have < length) {
    const ssize_t got = ::recv(connection.get(), text.data() + have, length - have, 0);
    if (got < 0) return system_failure(errno, "receive");
    if (got == 0) break;
    have += static_cast<std::size_t>(got);
  }
  text.resize(have);
  return text;
}

Result<Pair> connected_pair(Host& from, Host& to, const Address& address, std::uint16_t port) {
  SOCKSWAP_TRY(const Fd listener, listen_on(to, {address, port}));
  Pair pair;
  SOCKSWAP_TRY(pair.client, connect_from(from, {address, port}));
  SOCKSWAP_TRY(pair.server, accept_from(listener));
  return pair;
}

bool talks(const Pair& pair) {
  for (const auto& [from, to] : {std::pair{&pair.client, &pair.server}, {&pair.server, &pair.client}}) {
    if (!send_all(*from, "!")) return false;
    const auto got = receive(*to, 1);
    if (!got || *got != "!") return false;
  }
  return true;
}

Result<Fd> udp_on(Host& host, const Endpoint& at) {
  SOCKSWAP_TRY(Fd socket, bound(host, at, SOCK_DGRAM));
  // Each small datagram is charged about a kilobyte: the default buffer would lose some of a burst.
  const int bytes = 4 << 20;
  ::setsockopt(socket.get(), SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof bytes);
  return socket;
}

Result<std::vector<int>> numbered_datagrams(Host& from, Host& to, std::size_t count, std::size_t expected) {
  SOCKSWAP_TRY(const Fd receiver, udp_on(to, {to.v4(), 9000}));
  SOCKSWAP_TRY(const Fd sender, udp_on(from, {from.v4(), 9000}));
  SOCKSWAP_CHECK(connect_to(sender, {to.v4(), 9000}));
  for (int number = 0; number < static_cast<int>(count); ++number)
    if (::send(sender.get(), &number, sizeof number, 0) != sizeof number)
      return system_failure(errno, "send datagram");
  std::vector<int> numbers;
  pollfd waiting{.fd = receiver.get(), .events = POLLIN, .revents = 0};
  while (::poll(&waiting, 1, numbers.size() < expected ? kLongSilenceMs : kShortSilenceMs) > 0) {
    int number = 0;
    if (::recv(receiver.get(), &number, sizeof number, 0) == sizeof number) numbers.push_back(number);
  }
  return numbers;
}

}  // namespace sockswap::lab::test
