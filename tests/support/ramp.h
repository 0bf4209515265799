// A stream of bytes that shows what went wrong with it: byte i is i mod 251. The period is a prime, so
// that no lost, doubled or swapped segment, page or buffer (powers of two, mostly) falls into step.
#pragma once

#include <cstddef>

#include "base/bytes.h"

namespace sockswap::test {

inline constexpr std::size_t kRampPeriod = 251;

inline std::byte ramp_at(std::size_t position) { return static_cast<std::byte>(position % kRampPeriod); }

// Bytes [from, from + count) of the stream.
inline Bytes ramp(std::size_t from, std::size_t count) {
  Bytes out(count);
  for (std::size_t i = 0; i < count; ++i) out[i] = ramp_at(from + i);
  return out;
}

// How many of `bytes` are right if they start at `from`: bytes.size() if all are.
inline std::size_t ramp_matches(std::size_t from, ByteView bytes) {
  std::size_t i = 0;
  while (i < bytes.size() && bytes[i] == ramp_at(from + i)) ++i;
  return i;
}

}  // namespace sockswap::test
