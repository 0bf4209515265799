// The real kernel, with one call that fails, or in which the process is killed: the n-th from now, counted
// from 1. 0: none.
#pragma once

#include <cerrno>
#include <csignal>

#include "socket/kernel.h"

namespace sockswap::test {

class FailingKernel : public socket::Kernel {
 public:
  void fail_at(int call, int error = EIO) {
    remaining_ = call;
    error_ = error;
    calls_ = 0;
  }
  void be_killed_at(int call) {
    fail_at(call);
    fatal_ = true;
  }
  int calls() const { return calls_; }
  bool failed() const { return remaining_ == 0; }

  int socket(int family, int type, int protocol) override {
    return fails() ? -1 : real_.socket(family, type, protocol);
  }
  int bind(int fd, const sockaddr* address, socklen_t size) override {
    return fails() ? -1 : real_.bind(fd, address, size);
  }
  int connect(int fd, const sockaddr* address, socklen_t size) override {
    return fails() ? -1 : real_.connect(fd, address, size);
  }
  int getsockname(int fd, sockaddr* address, socklen_t* size) override {
    return fails() ? -1 : real_.getsockname(fd, address, size);
  }
  int getpeername(int fd, sockaddr* address, socklen_t* size) override {
    return fails() ? -1 : real_.getpeername(fd, address, size);
  }
  int getsockopt(int fd, int level, int name, void* value, socklen_t* size) override {
    return fails() ? -1 : real_.getsockopt(fd, level, name, value, size);
  }
  int setsockopt(int fd, int level, int name, const void* value, socklen_t size) override {
    return fails() ? -1 : real_.setsockopt(fd, level, name, value, size);
  }
  ssize_t recv(int fd, void* to, size_t size, int flags) override {
    return fails() ? -1 : real_.recv(fd, to, size, flags);
  }
  ssize_t send(int fd, const void* from, size_t size, int flags) override {
    return fails() ? -1 : real_.send(fd, from, size, flags);
  }
  int ioctl(int fd, unsigned long request, int* value) override {
    return fails() ? -1 : real_.ioctl(fd, request, value);
  }
  int shutdown(int fd, int how) override { return fails() ? -1 : real_.shutdown(fd, how); }
  int poll(pollfd* fds, nfds_t count, int timeout_ms) override {
    return fails() ? -1 : real_.poll(fds, count, timeout_ms);
  }
  int socket_swap(int fd, ::socket_swap* swap, unsigned flags) override {
    return fails() ? -1 : real_.socket_swap(fd, swap, flags);
  }

 private:
  bool fails() {
    ++calls_;
    if (remaining_ <= 0 || --remaining_ > 0) return false;
    remaining_ = 0;
    if (fatal_) ::raise(SIGKILL);
    errno = error_;
    return true;
  }

  socket::Kernel& real_ = socket::real_kernel();
  int remaining_ = -1;  // -1: not armed; 0: has failed
  int error_ = EIO;
  bool fatal_ = false;
  int calls_ = 0;
};

}  // namespace sockswap::test
