// What a host's link does to the frames that pass it. A plain value; the same in both directions.
#pragma once

#include <chrono>
#include <cstdint>
#include <string_view>

#include "base/result.h"

namespace sockswap::lab {

struct LinkQuality {
  std::chrono::nanoseconds delay{
      0};  // each way, so a round trip over this link alone takes at least twice that
  std::chrono::nanoseconds jitter{0};  // 0 … jitter on top of the delay, evenly spread; keeps the order
  double loss = 0;                     // shares of all frames, 0 … 1
  double duplicate = 0;
  double reorder = 0;      // held back so that frames sent up to 2 ms later overtake
  std::uint64_t rate = 0;  // bits a second; 0 is as fast as the machine goes
  // What waits for its turn at that rate: what would wait longer is dropped.
  std::chrono::nanoseconds queue = std::chrono::milliseconds(10);

  // True where the kernel's own queueing disciplines don't suffice (rate alone is done by tbf).
  bool needs_wire() const;
  Result<> check() const;

  bool operator==(const LinkQuality&) const = default;
};

// "10ms", "1.5s", "250us"; a bare number is refused, since its unit would be a guess.
Result<std::chrono::nanoseconds> parse_duration(std::string_view text);
// "1%", "0.5%" or a share such as "0.01".
Result<double> parse_share(std::string_view text);
// "100mbit", "1.5gbit", "64kbit": bits a second, decimal prefixes, as tc spells them.
Result<std::uint64_t> parse_rate(std::string_view text);

}  // namespace sockswap::lab
