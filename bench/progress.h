// Says once a second how far a benchmark is, on stderr.
#pragma once

#include <fmt/format.h>

#include <chrono>

namespace sockswap::bench {

class Progress {
 public:
  Progress(const char* what, int of) : what_(what), of_(of) {}

  void step() {
    ++done_;
    const auto now = std::chrono::steady_clock::now();
    if (now - said_ < std::chrono::seconds(1)) return;
    said_ = now;
    fmt::print(stderr, "{} of {} {}\n", done_, of_, what_);
  }

 private:
  const char* what_;
  int of_;
  int done_ = 0;
  std::chrono::steady_clock::time_point said_ = std::chrono::steady_clock::now();
};

}  // namespace sockswap::bench
