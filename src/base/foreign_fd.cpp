#include "base/foreign_fd.h"

#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>

namespace sockswap {
namespace {

// Threads that wait for a close. Beyond it somebody is playing, and waits for nobody: lingering is switched
// off.
constexpr int most_waiting = 64;
std::atomic<int> waiting{0};

bool may_block(int fd) {
  linger lingering{};
  socklen_t size = sizeof lingering;
  if (::getsockopt(fd, SOL_SOCKET, SO_LINGER, &lingering, &size) != 0) return true;  // not a socket
  return lingering.l_onoff != 0 && lingering.l_linger != 0;
}

void* close_here(void* fd) {
  ::close(static_cast<int>(reinterpret_cast<std::intptr_t>(fd)));
  --waiting;
  return nullptr;
}

bool close_on_a_thread(int fd) {
  if (++waiting <= most_waiting) {
    pthread_t thread{};
    if (::pthread_create(&thread, nullptr, close_here, reinterpret_cast<void*>(std::intptr_t{fd})) == 0) {
      ::pthread_detach(thread);
      return true;
    }
  }
  --waiting;
  return false;
}

}  // namespace

void ForeignFd::close_aside(Fd fd) {
  if (!fd) return;
  if (!may_block(fd.get())) return;
  if (close_on_a_thread(fd.get())) {
    static_cast<void>(fd.release());
    return;
  }
  const linger none{.l_onoff = 0, .l_linger = 0};
  ::setsockopt(fd.get(), SOL_SOCKET, SO_LINGER, &none, sizeof none);
}

}  // namespace sockswap
