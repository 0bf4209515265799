// What a pause is made of, by the steps that the daemons note.
#pragma once

#include "bench.h"
#include "records.h"

namespace sockswap::bench {

// A summary in µs for each part, in the order in which they happen (docs/benchmarks.md lists them).
Json pause_parts(const std::vector<MoveTimes>& moves);

}  // namespace sockswap::bench
