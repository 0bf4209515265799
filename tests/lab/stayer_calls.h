// The ways in which programs wait for a socket and use it, behind one face. Each call does what an ordinary
// program would, and reports as an anomaly whatever such a program would not expect: an EINTR that no signal
// explains, an error on a live connection, POLLERR or POLLHUP.
#pragma once

#include <cstddef>
#include <memory>
#include <string_view>

namespace stayer {

// Prints what happened to stderr and exits with status 3.
[[noreturn]] void anomaly(const char* what, int error);

class Calls {
 public:
  virtual ~Calls() = default;
  // Some bytes, at least one; 0 at the end of the stream. Waits.
  virtual std::size_t read(void* into, std::size_t size) = 0;
  // Some bytes, at least one. Waits.
  virtual std::size_t write(const void* from, std::size_t size) = 0;
};

// "blocking", "timeout" (SO_RCVTIMEO, SO_SNDTIMEO), "poll", "select", "spin" (non-blocking calls and short
// sleeps), "epoll-level", "epoll-edge", "io_uring"; null for another name, or if it can't be had here. One
// object a direction and thread.
std::unique_ptr<Calls> make_calls(std::string_view name, int fd);
std::unique_ptr<Calls> make_uring_calls(int fd);

}  // namespace stayer
