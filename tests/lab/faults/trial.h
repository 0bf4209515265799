// One case of the table, for real: a lab of three hosts, a stream between two programs, a move, and the fault
// at the step. Needs root.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "base/result.h"
#include "table.h"

namespace sockswap::faults {

// Of the build, as paths.
struct Programs {
  std::string sockswapd, sockswap, end, still;
};

struct Patience {
  // Everything must be settled so long after the last host is back: a party says its word again every 15 s,
  // and may have to do so twice, to hosts that are dialled every 3 s.
  std::chrono::seconds settles{40};
  std::chrono::seconds errs{25};  // an end whose other end is gone hears of it: some retransmissions
  std::chrono::seconds ends{20};  // a stream that is told to end, after a cut of seconds
  bool mends = true;              // false: all stays as the fault has left it, for a negative control
};

struct Outcome {
  bool reached = false;                 // the step; else there was no fault
  std::vector<std::string> complaints;  // what didn't hold
  std::vector<std::string> settling;    // what wasn't settled yet, at each change, since the fault was mended
  std::string became;                   // "moved", "undone" or "lost"
};

// An error if the lab can't be made, or the programs don't begin to stream.
Result<Outcome> run(const Programs& programs, const Case& what, const Patience& patience = {});

}  // namespace sockswap::faults
