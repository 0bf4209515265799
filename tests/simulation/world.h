// One simulated run, from one seed: hosts, connections between their programs, moves, faults; and the judge
// of it all.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "host.h"

namespace sockswap::simulation {

struct Settings {
  std::uint64_t seed = 1;
  Mutant mutant = Mutant::none;
  bool faults = true;
  bool keep_history = false;
};

struct Outcome {
  std::optional<std::string> violation;  // what must never happen, and did
  std::vector<std::string> history;      // if it was kept
  int moved = 0, undone = 0;             // moves, by their end
  int broken = 0;                        // connections that went with a host
  std::size_t events = 0;
};

Outcome run(const Settings& settings);

}  // namespace sockswap::simulation
