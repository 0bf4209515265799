#include "mesh/listener.h"

#include <fmt/format.h>
#include <sys/socket.h>

#include <cerrno>
#include <chrono>
#include <utility>

#include "base/log.h"
#include "mesh/turnstile.h"

namespace sockswap::mesh {
namespace {

constexpr int backlog = 128;

// Somebody who dials without end must not hold the loop up: after so many it turns to the others, and rests.
constexpr int accepted_per_turn = 4;

// Until some descriptor has been closed, accept would fail again at once.
constexpr auto pause_without_descriptors = std::chrono::milliseconds(100);

}  // namespace

struct Listener::Door {
  Door(asio::io_context& io, Endpoint at) : endpoint(at), socket(io), pause(io) {}
  Endpoint endpoint;
  asio::posix::stream_descriptor socket;
  asio::steady_timer pause;
};

Listener::Listener(asio::io_context& io, Accepted accepted) : io_(io), accepted_(std::move(accepted)) {}
Listener::~Listener() { *alive_ = false; }

Result<std::unique_ptr<Listener>> Listener::open(asio::io_context& io, const std::vector<Endpoint>& endpoints,
                                                 Accepted accepted) {
  std::unique_ptr<Listener> out(new Listener(io, std::move(accepted)));
  for (const Endpoint& endpoint : endpoints) SOCKSWAP_CHECK(out->add(endpoint));
  for (const auto& door : out->doors_) out->wait(*door);
  return out;
}

Result<> Listener::add(const Endpoint& endpoint) {
  const auto failed = [&endpoint](std::string_view step) {
    return system_failure(errno, fmt::format("{} {}", step, endpoint.text()));
  };
  const int family = endpoint.address.is_v4() ? AF_INET : AF_INET6;
  Fd fd(::socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd) return failed("open a socket for");
  const int on = 1;
  if (::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0) return failed("prepare");
  if (family == AF_INET6 && ::setsockopt(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on) != 0)
    return failed("prepare");
  sockaddr_storage address{};
  const socklen_t length = endpoint.to_sockaddr(family, address);
  if (::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), length) != 0) return failed("bind to");
  if (::listen(fd.get(), backlog) != 0) return failed("listen on");
  auto door = std::make_unique<Door>(io_, endpoint);
  asio::error_code error;
  door->socket.assign(fd.get(), error);
  if (error) return system_failure(error.value(), fmt::format("watch {}", endpoint.text()));
  (void)fd.release();
  doors_.push_back(std::move(door));
  return {};
}

void Listener::wait(Door& door) {
  door.socket.async_wait(asio::posix::stream_descriptor::wait_read,
                         [this, alive = alive_, &door](const asio::error_code& error) {
                           if (!*alive || error) return;
                           accept_some(door);
                         });
}

void Listener::accept_some(Door& door) {
  const std::shared_ptr<bool> alive = alive_;
  const auto rest = [&](std::chrono::nanoseconds for_so_long) {
    door.pause.expires_after(for_so_long);
    door.pause.async_wait([this, alive, &door](const asio::error_code& cancelled) {
      if (*alive && !cancelled) accept_some(door);
    });
  };
  const auto began = std::chrono::steady_clock::now();
  for (int accepted = 0; *alive && accepted < accepted_per_turn; ++accepted) {
    sockaddr_storage address{};
    socklen_t length = sizeof address;
    Fd fd(::accept4(door.socket.native_handle(), reinterpret_cast<sockaddr*>(&address), &length,
                    SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (fd) {
      if (const auto from = Endpoint::from_sockaddr(address)) accepted_(std::move(fd), *from);
      continue;
    }
    const int error = errno;
    // accept(2): the errors of a connection that has died in the queue belong to it, not to us.
    if (error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM) {
      log::warn("{}: no hosts let in for a moment ({})", door.endpoint.text(),
                system_error(error, "accept").text());
      return rest(pause_without_descriptors);
    }
    if (error == EAGAIN) return wait(door);
  }
  if (*alive) rest(rest_after_work * (std::chrono::steady_clock::now() - began));
}

}  // namespace sockswap::mesh
