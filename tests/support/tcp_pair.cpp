#include "support/tcp_pair.h"

#include <linux/filter.h>
#include <linux/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <stdexcept>
#include <system_error>

#include "support/ramp.h"

namespace sockswap::test {
namespace {

constexpr int kPatienceMs = 10'000;

void must(bool done, const char* what) {
  if (!done) throw std::system_error(errno, std::generic_category(), what);
}

template <class Call>
Endpoint name_of(const Fd& socket, Call call) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  must(call(socket.get(), reinterpret_cast<sockaddr*>(&address), &size) == 0, "socket name");
  return Endpoint::from_sockaddr(address).value();
}

template <class Call>
int with(Call call, const Fd& socket, Kind kind, const Endpoint& endpoint) {
  sockaddr_storage address{};
  const socklen_t size = endpoint.to_sockaddr(family_of(kind), address);
  return call(socket.get(), reinterpret_cast<const sockaddr*>(&address), size);
}

Fd tcp_socket(Kind kind) {
  Fd fd(::socket(family_of(kind), SOCK_STREAM | SOCK_CLOEXEC, 0));
  must(bool(fd), "socket");
  if (kind == Kind::mapped) set_int(fd, IPPROTO_IPV6, IPV6_V6ONLY, 0);
  return fd;
}

}  // namespace

const char* name(Kind kind) { return kind == Kind::ipv4 ? "ipv4" : kind == Kind::ipv6 ? "ipv6" : "mapped"; }
const char* name(ClientPort port) {
  return port == ClientPort::ephemeral ? "ephemeral" : port == ClientPort::bound ? "bound" : "wildcard";
}
int family_of(Kind kind) { return kind == Kind::ipv4 ? AF_INET : AF_INET6; }
Endpoint loopback(Kind kind, std::uint16_t port) {
  return {Address::parse(kind == Kind::ipv6 ? "::1" : "127.0.0.1").value(), port};
}

TcpPair connect_pair(Kind kind, ClientPort port) {
  const Fd listener = tcp_socket(kind);
  must(with(::bind, listener, kind, loopback(kind)) == 0, "bind");
  must(::listen(listener.get(), 4) == 0, "listen");
  TcpPair out;
  out.client = tcp_socket(kind);
  if (port != ClientPort::ephemeral) {
    // The kernel doesn't count a port that it chose itself as bound by the program.
    const Fd probe = tcp_socket(kind);
    Endpoint wanted = loopback(kind);
    // A port that is free on loopback may be another socket's on another address.
    if (port == ClientPort::wildcard)
      wanted.address = Address::parse(kind == Kind::ipv6 ? "::" : "0.0.0.0").value();
    must(with(::bind, probe, kind, wanted) == 0, "bind");
    const Endpoint free = {wanted.address, local_of(probe).port};
    set_int(probe, SOL_SOCKET, SO_REUSEADDR, 1);
    set_int(out.client, SOL_SOCKET, SO_REUSEADDR, 1);
    must(with(::bind, out.client, kind, free) == 0, "bind");
    set_int(out.client, SOL_SOCKET, SO_REUSEADDR, 0);
  }
  must(with(::connect, out.client, kind, local_of(listener)) == 0, "connect");
  out.server = Fd(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
  must(bool(out.server), "accept");
  return out;
}

Endpoint local_of(const Fd& socket) { return name_of(socket, ::getsockname); }
Endpoint remote_of(const Fd& socket) { return name_of(socket, ::getpeername); }

int get_int(const Fd& socket, int level, int option) {
  int value = 0;
  socklen_t size = sizeof value;
  must(::getsockopt(socket.get(), level, option, &value, &size) == 0, "getsockopt");
  return value;
}
void set_int(const Fd& socket, int level, int option, int value) {
  must(::setsockopt(socket.get(), level, option, &value, sizeof value) == 0, "setsockopt");
}

std::size_t filter_length(const Fd& socket) {
  socklen_t count = 0;  // SO_GET_FILTER counts instructions
  must(::getsockopt(socket.get(), SOL_SOCKET, SO_GET_FILTER, nullptr, &count) == 0, "SO_GET_FILTER");
  return count;
}

std::size_t fill(const Fd& socket, std::size_t from, std::size_t limit) {
  constexpr std::size_t kPiece = 64 * 1024;
  std::size_t written = 0;
  while (written < limit) {
    const Bytes piece = ramp(from + written, std::min(kPiece, limit - written));
    const ssize_t took = ::send(socket.get(), piece.data(), piece.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (took < 0 && errno == EAGAIN) break;
    must(took > 0, "send");
    written += static_cast<std::size_t>(took);
  }
  return written;
}

void send_ramp(const Fd& socket, std::size_t from, std::size_t count) {
  const int half = static_cast<int>(count + (1 << 16));
  must(::setsockopt(socket.get(), SOL_SOCKET, SO_SNDBUFFORCE, &half, sizeof half) == 0, "SO_SNDBUFFORCE");
  const std::size_t took = fill(socket, from, count);
  if (took != count) throw std::runtime_error("the send buffer is too small for the test");
}

std::size_t receive_ramp(const Fd& socket, std::size_t from, std::size_t count) {
  Bytes buffer(std::min<std::size_t>(count, 1 << 20));
  std::size_t right = 0;
  while (right < count) {
    pollfd readable{socket.get(), POLLIN, 0};
    if (::poll(&readable, 1, kPatienceMs) != 1) return right;
    const ssize_t got =
        ::recv(socket.get(), buffer.data(), std::min(buffer.size(), count - right), MSG_DONTWAIT);
    if (got <= 0) return right;
    const ByteView bytes = ByteView(buffer).first(static_cast<std::size_t>(got));
    const std::size_t matches = ramp_matches(from + right, bytes);
    right += matches;
    if (matches != bytes.size()) return right;
  }
  return right;
}

std::string talk(const Fd& a, const Fd& b) {
  constexpr std::size_t kSize = 1000;
  const Bytes words = ramp(0, kSize);
  for (const auto& [from, to] : {std::pair(&a, &b), std::pair(&b, &a)}) {
    const ssize_t sent = ::send(from->get(), words.data(), kSize, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent != kSize) return std::string("send: ") + std::strerror(errno);
    const std::size_t right = receive_ramp(*to, 0, kSize);
    if (right != kSize) return "only " + std::to_string(right) + " bytes arrived right";
  }
  return {};
}

Blackhole::Blackhole(const Fd& socket) : fd_(socket.get()) {
  sock_filter drop = BPF_STMT(BPF_RET | BPF_K, 0);
  const sock_fprog program{1, &drop};
  must(::setsockopt(fd_, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program) == 0, "SO_ATTACH_FILTER");
}
Blackhole::~Blackhole() {
  const int ignored = 0;
  ::setsockopt(fd_, SOL_SOCKET, SO_DETACH_FILTER, &ignored, sizeof ignored);
}

std::size_t open_descriptors() {
  const std::filesystem::directory_iterator all("/proc/self/fd");
  return static_cast<std::size_t>(std::distance(begin(all), end(all)));
}

}  // namespace sockswap::test
