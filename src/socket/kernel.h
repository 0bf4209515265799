// The thin seam over the system calls that the engine makes on a socket: one virtual function a call,
// same arguments, same errno. Tests put an implementation in front that fails the n-th call.
#pragma once

#include <poll.h>
#include <sys/socket.h>
#include <sys/types.h>

struct socket_swap;  // kernel/socket_swap.h

namespace sockswap::socket {

class Kernel {
 public:
  virtual ~Kernel() = default;
  virtual int socket(int family, int type, int protocol) = 0;
  virtual int bind(int fd, const sockaddr* address, socklen_t size) = 0;
  virtual int connect(int fd, const sockaddr* address, socklen_t size) = 0;
  virtual int getsockname(int fd, sockaddr* address, socklen_t* size) = 0;
  virtual int getpeername(int fd, sockaddr* address, socklen_t* size) = 0;
  virtual int getsockopt(int fd, int level, int name, void* value, socklen_t* size) = 0;
  virtual int setsockopt(int fd, int level, int name, const void* value, socklen_t size) = 0;
  virtual ssize_t recv(int fd, void* to, size_t size, int flags) = 0;
  virtual ssize_t send(int fd, const void* from, size_t size, int flags) = 0;
  virtual int ioctl(int fd, unsigned long request, int* value) = 0;
  virtual int shutdown(int fd, int how) = 0;
  virtual int poll(pollfd* fds, nfds_t count, int timeout_ms) = 0;
  virtual int socket_swap(int fd, ::socket_swap* swap, unsigned flags) = 0;  // ENOSYS on a stock kernel
};

// The real thing. Stateless; one instance for the process's life; any thread.
Kernel& real_kernel();

}  // namespace sockswap::socket
