// One descriptor, owned. Move-only; closes on destruction; self-move-safe.
#pragma once

#include <utility>

namespace sockswap {

class Fd {
 public:
  Fd() = default;
  explicit Fd(int fd) : fd_(fd) {}  // takes ownership; -1 is "none"
  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Fd& operator=(Fd&& other) noexcept {
    if (this != &other) reset(std::exchange(other.fd_, -1));
    return *this;
  }
  Fd(const Fd&) = delete;
  Fd& operator=(const Fd&) = delete;
  ~Fd() { reset(); }

  int get() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }
  [[nodiscard]] int release() { return std::exchange(fd_, -1); }
  void reset(int fd = -1);

  // A second descriptor for the same open file, CLOEXEC; an empty Fd with errno set on failure.
  Fd duplicate() const;

 private:
  int fd_ = -1;
};

}  // namespace sockswap
