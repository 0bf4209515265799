#include "drift.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <span>

namespace sockswap::soak {
namespace {

// Nearest rank.
double percentile(std::span<const double> samples, double share) {
  std::vector<double> sorted(samples.begin(), samples.end());
  std::ranges::sort(sorted);
  const auto rank = static_cast<std::size_t>(std::ceil(share * static_cast<double>(sorted.size())));
  return sorted[std::max<std::size_t>(rank, 1) - 1];
}

std::optional<std::string> slower(const char* what, const std::vector<Point>& tenths, double share,
                                  double and_us) {
  const double first = tenths.front().value, last = tenths.back().value;
  const double allowed = first * share + and_us;
  if (last - first <= allowed || rise(tenths) <= allowed) return std::nullopt;
  return fmt::format("the pause's {} rose from {:.0f} to {:.0f} µs", what, first, last);
}

}  // namespace

double rise(const std::vector<Point>& points) {
  std::vector<double> slopes;
  for (std::size_t i = 0; i < points.size(); ++i)
    for (std::size_t j = i + 1; j < points.size(); ++j)
      if (points[j].moves > points[i].moves)
        slopes.push_back((points[j].value - points[i].value) / (points[j].moves - points[i].moves));
  if (slopes.empty()) return 0;
  return percentile(slopes, 0.5) * (points.back().moves - points.front().moves);
}

std::optional<std::string> changed(const std::string& name, const std::vector<Point>& points) {
  for (const Point& point : points)
    if (point.value != points.front().value)
      return fmt::format("{} changed from {} to {} between move {} and {}", name, points.front().value,
                         point.value, points.front().moves, point.moves);
  return std::nullopt;
}

std::optional<std::string> risen(const std::string& name, const std::vector<Point>& points, double allowed) {
  const double by = rise(points);
  if (by <= allowed) return std::nullopt;
  return fmt::format("{} rose by {:.0f} in {} moves, from {} to {}", name, by,
                     points.back().moves - points.front().moves, points.front().value, points.back().value);
}

PauseDrift pause_drift(const std::vector<double>& pauses) {
  const std::size_t tenth = pauses.size() / 10;
  if (tenth == 0) return {};
  std::vector<Point> p50, p99;
  for (std::size_t i = 0; i < 10; ++i) {
    const std::span<const double> samples(pauses.data() + i * tenth, tenth);
    const auto moves = static_cast<double>(i * tenth);
    p50.push_back({moves, percentile(samples, 0.5)});
    p99.push_back({moves, percentile(samples, 0.99)});
  }
  PauseDrift out{p50.front().value, p99.front().value, p50.back().value, p99.back().value, {}};
  out.complaint = slower("median", p50, 0.25, 50);
  if (!out.complaint && tenth >= 1000) out.complaint = slower("99th percentile", p99, 0.5, 500);
  return out;
}

}  // namespace sockswap::soak
