// All chance of a simulated run comes from one seed (xoshiro256** by Blackman and Vigna, seeded by
// splitmix64).
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <span>

namespace sockswap::simulation {

class Random {
 public:
  explicit Random(std::uint64_t seed) {
    for (std::uint64_t& word : state_) {
      std::uint64_t z = seed += 0x9e3779b97f4a7c15;
      z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
      z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
      word = z ^ (z >> 31);
    }
  }

  std::uint64_t next() {
    const std::uint64_t result = std::rotl(state_[1] * 5, 7) * 9;
    const std::uint64_t t = state_[1] << 17;
    state_[2] ^= state_[0];
    state_[3] ^= state_[1];
    state_[1] ^= state_[2];
    state_[0] ^= state_[3];
    state_[2] ^= t;
    state_[3] = std::rotl(state_[3], 45);
    return result;
  }
  std::uint64_t below(std::uint64_t bound) { return next() % bound; }  // the bias doesn't matter here
  std::int64_t between(std::int64_t low, std::int64_t high) {          // both inclusive
    return low + static_cast<std::int64_t>(below(static_cast<std::uint64_t>(high - low + 1)));
  }
  bool one_in(std::uint64_t n) { return below(n) == 0; }
  template <class T>
  const T& of(std::span<const T> choices) {
    return choices[below(choices.size())];
  }

 private:
  std::array<std::uint64_t, 4> state_{};
};

}  // namespace sockswap::simulation
