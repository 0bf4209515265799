// Percentiles of samples, as the benchmarks print them.
#pragma once

#include <vector>

#include "bench.h"

namespace sockswap::bench {

// {"p50":…, "p99":…, "min":…, "max":…, "n":…}; nearest rank, rounded to two decimals.
Json summary(std::vector<double> samples);
double median(std::vector<double> samples);

}  // namespace sockswap::bench
