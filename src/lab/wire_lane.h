// One direction of a wire: reads frames off one tap, keeps each until it is due, writes it to the other.
// Used by the wire's thread only, but for statistics().
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <optional>
#include <queue>
#include <vector>

#include "base/bytes.h"
#include "lab/impairment.h"
#include "lab/wire.h"

namespace sockswap::lab {

class Wire::Lane {
 public:
  using Time = std::chrono::steady_clock::time_point;

  Lane(int from, int to, std::uint64_t seed) : from_(from), to_(to), impairment_(seed) {}

  // Takes what waits on the tap, up to a bound that keeps the other direction alive.
  void take_in(const LinkQuality& quality, Time now);
  void let_out(Time now);            // everything that is due
  std::optional<Time> next() const;  // when let_out() has something to do
  WireStatistics statistics() const;

 private:
  struct Frame {
    Time due;
    std::uint64_t order;  // frames due at the same instant leave as they came
    Bytes bytes;

    // std::priority_queue keeps the largest on top.
    bool operator<(const Frame& other) const {
      return due != other.due ? due > other.due : order > other.order;
    }
  };

  void accept(ByteView frame, const LinkQuality& quality, Time now);
  void send(ByteView frame);

  int from_;
  int to_;
  Impairment impairment_;
  std::priority_queue<Frame> under_way_;
  std::size_t bytes_under_way_ = 0;
  std::uint64_t order_ = 0;
  Time latest_{};  // when the last frame that kept its place is due
  std::atomic<std::uint64_t> seen_{0}, delivered_{0}, lost_{0}, duplicated_{0}, overtaken_{0}, overflowed_{0};
};

}  // namespace sockswap::lab
