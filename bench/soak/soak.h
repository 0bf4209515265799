// A soak: one connection under load, moved again and again round three hosts of a lab, while everything that
// could drift is watched. docs/benchmarks.md says what is measured and what must hold.
#pragma once

#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/result.h"

namespace sockswap::soak {

using Json = nlohmann::ordered_json;

// Programs of the build, as paths.
struct Programs {
  std::string sockswapd, wanderer, still;
};

struct Options {
  int moves = 100'000;             // rounded up, so that the ends come home 20 times; and some for warming up
  bool both_wander = false;        // else one end is an ordinary program that stays on a fourth host
  double megabytes_a_second = 10;  // each way; 0: as fast as it goes
  // For those who check the checker: what the moving end leaks at each hop, what the staying end spoils.
  std::string leak = "nothing", spoil = {};
  std::function<void(const std::string& line)> say = [](const std::string&) {
  };  // progress, about once a second
};

struct Outcome {
  Json figures;
  std::vector<std::string> complaints;  // what didn't hold; empty: nothing lost, nothing drifted
};

// Each host has two parts in three moves. Its daemon shows the last 4,096, and knows the last 16,384 by their
// ids.
inline constexpr int fills_the_history = 6300;
inline constexpr int fills_the_ids = 24'600;

// Moves that are made before anything is compared with: the daemon's list of past moves must be full, if the
// soak is long enough for that.
int warm_up(int moves);

// An error if it couldn't be run to its end: an end that saw a wrong byte, a move that failed, a stall.
Result<Outcome> run(const Programs& programs, const Options& options);

}  // namespace sockswap::soak
