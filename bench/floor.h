// The floor: what the kernel itself takes for moving both ends of an idle connection.
#pragma once

#include <vector>

namespace sockswap::bench {

struct Floor {
  std::vector<double> kernel_us;  // time inside system calls, a whole two-ended move
  std::vector<double> engine_us;  // the same moves as the engine makes them, its own work included
  double calls = 0;               // system calls a move
};

// Moves one end of a loopback connection between two local addresses `count` times, with no protocol and no
// other process: both freezes and captures, the rebuild, the re-point, both thaws.
Floor measure_floor(int count);

}  // namespace sockswap::bench
