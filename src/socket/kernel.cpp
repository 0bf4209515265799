#include "socket/kernel.h"

#include <socket_swap.h>
#include <sys/ioctl.h>
#include <unistd.h>

namespace sockswap::socket {
namespace {

class RealKernel final : public Kernel {
 public:
  int socket(int family, int type, int protocol) override { return ::socket(family, type, protocol); }
  int bind(int fd, const sockaddr* address, socklen_t size) override { return ::bind(fd, address, size); }
  int connect(int fd, const sockaddr* address, socklen_t size) override {
    return ::connect(fd, address, size);
  }
  int getsockname(int fd, sockaddr* address, socklen_t* size) override {
    return ::getsockname(fd, address, size);
  }
  int getpeername(int fd, sockaddr* address, socklen_t* size) override {
    return ::getpeername(fd, address, size);
  }
  int getsockopt(int fd, int level, int name, void* value, socklen_t* size) override {
    return ::getsockopt(fd, level, name, value, size);
  }
  int setsockopt(int fd, int level, int name, const void* value, socklen_t size) override {
    return ::setsockopt(fd, level, name, value, size);
  }
  ssize_t recv(int fd, void* to, size_t size, int flags) override { return ::recv(fd, to, size, flags); }
  ssize_t send(int fd, const void* from, size_t size, int flags) override {
    return ::send(fd, from, size, flags);
  }
  int ioctl(int fd, unsigned long request, int* value) override { return ::ioctl(fd, request, value); }
  int shutdown(int fd, int how) override { return ::shutdown(fd, how); }
  int poll(pollfd* fds, nfds_t count, int timeout_ms) override { return ::poll(fds, count, timeout_ms); }
  int socket_swap(int fd, ::socket_swap* swap, unsigned flags) override {
    return static_cast<int>(::syscall(NR_SOCKET_SWAP, fd, swap, sizeof *swap, flags));
  }
};

}  // namespace

Kernel& real_kernel() {
  static RealKernel kernel;
  return kernel;
}

}  // namespace sockswap::socket
