// Does what is measured again and again stay where it is? Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace sockswap::soak {

struct Point {
  double moves = 0;  // made until then
  double value = 0;
};

// By how much a line through the points rises from the first to the last. The line's slope is the median of
// the slopes between all pairs (Theil and Sen): a few odd points don't tilt it. 0 for fewer than two points.
double rise(const std::vector<Point>& points);

// What is counted at rest (descriptors, threads …) must not change at all. A complaint, or nothing.
std::optional<std::string> changed(const std::string& name, const std::vector<Point>& points);

// What may waver (memory) must not rise by more than `allowed` in all.
std::optional<std::string> risen(const std::string& name, const std::vector<Point>& points, double allowed);

// The pauses of all moves, in order, in microseconds.
struct PauseDrift {
  double first_p50 = 0, first_p99 = 0, last_p50 = 0, last_p99 = 0;  // of the first and the last tenth
  std::optional<std::string> complaint;
};

// The last tenth must not be slower than the first: its median by no more than a quarter and 50 µs, its 99th
// percentile (of tenths of 1,000 moves and more) by no more than a half and 500 µs. What a neighbour on the
// machine does to one tenth is no drift, so the line through all ten must rise as far, too.
PauseDrift pause_drift(const std::vector<double>& pauses);

}  // namespace sockswap::soak
