#include "floor.h"

#include <sys/ioctl.h>
#include <sys/socket.h>

#include <chrono>
#include <stdexcept>

#include "socket/end.h"
#include "socket/reconcile.h"

namespace sockswap::bench {
namespace {

using Clock = std::chrono::steady_clock;

double microseconds(Clock::duration time) { return std::chrono::duration<double, std::micro>(time).count(); }

// The real kernel, with a stopwatch around each call.
class TimedKernel : public socket::Kernel {
  template <class Call>
  auto timed(Call call) {
    const auto before = Clock::now();
    const auto result = call();
    inside += Clock::now() - before;
    ++calls;
    return result;
  }

 public:
  int socket(int family, int type, int protocol) override {
    return timed([&] { return ::socket(family, type, protocol); });
  }
  int bind(int fd, const sockaddr* address, socklen_t size) override {
    return timed([&] { return ::bind(fd, address, size); });
  }
  int connect(int fd, const sockaddr* address, socklen_t size) override {
    return timed([&] { return ::connect(fd, address, size); });
  }
  int getsockname(int fd, sockaddr* address, socklen_t* size) override {
    return timed([&] { return ::getsockname(fd, address, size); });
  }
  int getpeername(int fd, sockaddr* address, socklen_t* size) override {
    return timed([&] { return ::getpeername(fd, address, size); });
  }
  int getsockopt(int fd, int level, int name, void* value, socklen_t* size) override {
    return timed([&] { return ::getsockopt(fd, level, name, value, size); });
  }
  int setsockopt(int fd, int level, int name, const void* value, socklen_t size) override {
    return timed([&] { return ::setsockopt(fd, level, name, value, size); });
  }
  ssize_t recv(int fd, void* to, size_t size, int flags) override {
    return timed([&] { return ::recv(fd, to, size, flags); });
  }
  ssize_t send(int fd, const void* from, size_t size, int flags) override {
    return timed([&] { return ::send(fd, from, size, flags); });
  }
  int ioctl(int fd, unsigned long request, int* value) override {
    return timed([&] { return ::ioctl(fd, request, value); });
  }
  int shutdown(int fd, int how) override {
    return timed([&] { return ::shutdown(fd, how); });
  }
  int poll(pollfd* fds, nfds_t count, int timeout_ms) override {
    return timed([&] { return ::poll(fds, count, timeout_ms); });
  }
  int socket_swap(int fd, ::socket_swap* swap, unsigned flags) override {
    return timed([&] { return socket::real_kernel().socket_swap(fd, swap, flags); });
  }

  Clock::duration inside{};
  long calls = 0;
};

template <class Value>
Value must(Result<Value> result) {
  if (!result) throw std::runtime_error(result.error().text());
  return *std::move(result);
}

struct Pair {
  Fd moving, staying;
};

Pair connect_pair() {
  const Endpoint any = Endpoint::parse("127.0.0.1:0").value();
  sockaddr_storage address{};
  socklen_t size = any.to_sockaddr(AF_INET, address);
  const Fd listener(::socket(AF_INET, SOCK_STREAM, 0));
  ::bind(listener.get(), reinterpret_cast<sockaddr*>(&address), size);
  ::listen(listener.get(), 1);
  size = sizeof address;
  ::getsockname(listener.get(), reinterpret_cast<sockaddr*>(&address), &size);
  Fd moving(::socket(AF_INET, SOCK_STREAM, 0));
  if (::connect(moving.get(), reinterpret_cast<sockaddr*>(&address), size) != 0)
    throw std::runtime_error("can't connect on loopback");
  return {std::move(moving), Fd(::accept(listener.get(), nullptr, nullptr))};
}

void move_once(socket::Kernel& kernel, Pair& pair, const Address& to) {
  auto moving = must(socket::FrozenEnd::freeze(kernel, std::move(pair.moving)));
  auto moving_image = must(moving.capture());
  const int staying_fd = ::dup(pair.staying.get());
  auto staying = must(socket::FrozenEnd::freeze(kernel, Fd(staying_fd), socket::Intent::stay));
  auto staying_image = must(staying.capture());
  (void)socket::take_in_flight(moving_image);
  const Endpoint remote = moving_image.tuple.remote;
  auto reservation = must(socket::reserve(kernel, AF_INET, {to, moving_image.tuple.local.port}));
  const Endpoint local = reservation.local;
  auto arrived = must(socket::rebuild(kernel, std::move(reservation), moving_image, remote));
  if (auto cut = socket::cut_sent(staying_image, moving_image.position.rcv_nxt); !cut)
    throw std::runtime_error(cut.error().text());
  auto repointed = must(staying.repoint(staying_image, {remote, local}));
  if (auto released = moving.release(); !released) throw std::runtime_error(released.error().text());
  const Fd ours = must(repointed.thaw());
  pair.moving = must(arrived.thaw());
}

}  // namespace

Floor measure_floor(int count) {
  const Address homes[] = {Address::parse("127.0.0.2").value(), Address::parse("127.0.0.1").value()};
  Pair pair = connect_pair();
  TimedKernel kernel;
  Floor floor;
  for (int i = 0; i < count; ++i) {
    kernel.inside = {};
    const auto before = Clock::now();
    move_once(kernel, pair, homes[i % 2]);
    floor.engine_us.push_back(microseconds(Clock::now() - before));
    floor.kernel_us.push_back(microseconds(kernel.inside));
  }
  floor.calls = static_cast<double>(kernel.calls) / count;
  return floor;
}

}  // namespace sockswap::bench
