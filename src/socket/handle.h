// A borrowed descriptor and the kernel to reach it through, with system calls that answer in Results.
// A value; owns nothing. `what` names the call in the error, such as "TCP_QUEUE_SEQ".
#pragma once

#include "base/endpoint.h"
#include "base/result.h"
#include "socket/kernel.h"

namespace sockswap::socket {

class Handle {
 public:
  Handle() = default;
  Handle(Kernel& kernel, int fd) : kernel_(&kernel), fd_(fd) {}

  Kernel& kernel() const { return *kernel_; }
  int fd() const { return fd_; }

  Result<int> get(int level, int name, const char* what) const;
  Result<> set(int level, int name, int value, const char* what) const;
  Result<socklen_t> get_bytes(int level, int name, void* value, socklen_t size, const char* what) const;
  Result<> set_bytes(int level, int name, const void* value, socklen_t size, const char* what) const;
  Result<int> count(unsigned long request, const char* what) const;  // ioctl that gives a number

  struct Local {
    Endpoint endpoint;
    int family = 0;  // AF_INET or AF_INET6, as the socket was made
  };
  Result<Local> local() const;
  Result<Endpoint> remote() const;
  Result<> bind(int family, const Endpoint& to) const;
  Result<> connect(int family, const Endpoint& to) const;
  Result<> shut_receiving() const;  // shutdown(SHUT_RD)

 private:
  Kernel* kernel_ = nullptr;
  int fd_ = -1;
};

}  // namespace sockswap::socket
