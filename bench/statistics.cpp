#include "statistics.h"

#include <algorithm>
#include <cmath>

namespace sockswap::bench {
namespace {

double rounded(double value) { return std::round(value * 100) / 100; }

double percentile(const std::vector<double>& sorted, double share) {
  const auto rank = static_cast<std::size_t>(std::ceil(share * static_cast<double>(sorted.size())));
  return sorted[std::max<std::size_t>(rank, 1) - 1];
}

}  // namespace

Json summary(std::vector<double> samples) {
  if (samples.empty()) return {{"n", 0}};
  std::ranges::sort(samples);
  return {{"p50", rounded(percentile(samples, 0.5))},
          {"p99", rounded(percentile(samples, 0.99))},
          {"min", rounded(samples.front())},
          {"max", rounded(samples.back())},
          {"n", samples.size()}};
}

double median(std::vector<double> samples) {
  if (samples.empty()) return 0;
  std::ranges::sort(samples);
  return percentile(samples, 0.5);
}

}  // namespace sockswap::bench
