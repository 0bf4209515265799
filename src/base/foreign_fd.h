// A descriptor that a program handed in, or is to get: a socket with options of the program's, or anything
// else that somebody passes. The last close() of such a file may block (SO_LINGER, a FUSE file's flush), and
// any close may be the last one, since its program can end at any moment. So it isn't closed on the event
// loop.
#pragma once

#include <utility>

#include "base/fd.h"

namespace sockswap {

class ForeignFd {
 public:
  explicit ForeignFd(Fd fd) : fd_(std::move(fd)) {}
  ForeignFd(ForeignFd&&) noexcept = default;
  ForeignFd& operator=(ForeignFd&& other) noexcept {
    if (this != &other) close_aside(std::exchange(fd_, std::move(other.fd_)));
    return *this;
  }
  ~ForeignFd() { close_aside(std::move(fd_)); }

  int get() const { return fd_.get(); }
  // For work on the socket. As long as this lives, closing the copy is not the last close.
  Fd duplicate() const { return fd_.duplicate(); }

 private:
  // At once where that can't block, else on a thread of its own.
  static void close_aside(Fd fd);

  Fd fd_;
};

}  // namespace sockswap
