// What happens to each frame on a bad link: decided purely, from a seed, so that a run can be replayed.
// The n-th frame meets the n-th decision whatever its contents and whenever it comes.
#pragma once

#include <chrono>
#include <cstdint>
#include <random>

#include "lab/quality.h"

namespace sockswap::lab {

struct Fate {
  int copies = 1;  // 0: lost; 2: duplicated
  std::chrono::nanoseconds hold{0};
  bool overtaken = false;  // frames behind it may pass

  bool operator==(const Fate&) const = default;
};

class Impairment {
 public:
  explicit Impairment(std::uint64_t seed) : random_(seed) {}

  // Draws the same number of random values under every quality, so that changing one of its numbers
  // doesn't shift the others' pattern.
  Fate decide(const LinkQuality& quality);

 private:
  double draw();  // even in [0, 1); std::uniform_real_distribution would differ between standard libraries

  std::mt19937_64 random_;
};

}  // namespace sockswap::lab
