// A cable in user space: carries Ethernet frames between two tap devices, late, never, twice or out of
// order, as a LinkQuality says (the stock kernels that we meet lack netem, and netem can't be seeded).
//
// Owns both taps (they vanish with it) and one thread. The taps announce no offloads, so the kernel cuts
// large TCP packets before they reach the wire: one lost frame is one lost packet of MTU size. All
// functions may be called from any thread. Frames still on the wire are lost with it.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <mutex>
#include <thread>

#include "base/fd.h"
#include "lab/quality.h"

namespace sockswap::lab {

// Frames in one direction since the wire was made.
struct WireStatistics {
  std::uint64_t seen = 0;
  std::uint64_t delivered = 0;  // copies handed to the far tap
  std::uint64_t lost = 0;       // by decision
  std::uint64_t duplicated = 0;
  std::uint64_t overtaken = 0;
  std::uint64_t overflowed = 0;  // dropped because too much was on the wire already
};

class Wire {
 public:
  // Each direction replays its own pattern, derived from `seed`.
  static Result<std::unique_ptr<Wire>> start(Fd near_tap, Fd far_tap, const LinkQuality& quality,
                                             std::uint64_t seed);
  ~Wire();
  Wire(const Wire&) = delete;
  Wire& operator=(const Wire&) = delete;

  void set_quality(const LinkQuality& quality);  // for frames that enter from now on
  WireStatistics outward() const;                // near to far
  WireStatistics inward() const;                 // far to near

 private:
  class Lane;

  Wire() = default;
  void carry();
  LinkQuality quality() const;

  std::array<Fd, 2> taps_;  // near, far
  Fd stop_;                 // eventfd
  Fd timer_;
  std::array<std::unique_ptr<Lane>, 2> lanes_;  // outward, inward; used by the thread only, but for counters
  mutable std::mutex mutex_;
  LinkQuality quality_;
  std::thread thread_;
};

}  // namespace sockswap::lab
