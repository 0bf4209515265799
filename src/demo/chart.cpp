#include "demo/chart.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace sockswap::demo {
namespace {

constexpr double width = 900, height = 360, left = 70, right = 20, top = 50, bottom = 50;

struct Scale {
  double ms = 1, megabits = 1;
  double x(double at_ms) const { return left + at_ms / ms * (width - left - right); }
  double y(double rate) const { return height - bottom - rate / megabits * (height - top - bottom); }
};

struct Point {
  double at_ms, megabits;
};

// The rate between each two samples.
std::vector<Point> rates(const std::vector<Sample>& samples) {
  std::vector<Point> points;
  for (std::size_t i = 1; i < samples.size(); ++i) {
    const double ms = samples[i].at_ms - samples[i - 1].at_ms;
    if (ms < 5) continue;  // an event and the progress line beside it
    const double bytes = static_cast<double>(samples[i].bytes) - static_cast<double>(samples[i - 1].bytes);
    points.push_back({samples[i].at_ms, std::max(0.0, bytes * 8 / 1000 / ms)});
  }
  return points;
}

// A round number of units, at most about six of which reach `most`.
double tick(double most) {
  const double rough = most / 6;
  const double power = std::pow(10, std::floor(std::log10(std::max(rough, 1e-9))));
  for (const double factor : {1.0, 2.0, 5.0})
    if (rough <= factor * power) return factor * power;
  return 10 * power;
}

std::string axes(const Scale& scale) {
  std::string out;
  for (double rate = 0; rate <= scale.megabits; rate += tick(scale.megabits))
    out += fmt::format(
        "<line x1='{0}' x2='{1}' y1='{2:.1f}' y2='{2:.1f}' class='grid'/><text x='{3}' y='{4:.1f}' "
        "text-anchor='end'>{5:.0f}</text>\n",
        left, width - right, scale.y(rate), left - 8, scale.y(rate) + 4, rate);
  for (double ms = 0; ms <= scale.ms; ms += tick(scale.ms))
    out += fmt::format("<text x='{:.1f}' y='{}' text-anchor='middle'>{:.1f}</text>\n", scale.x(ms),
                       height - bottom + 18, ms / 1000);
  out += fmt::format("<text x='{}' y='{}' text-anchor='middle'>seconds</text>\n", (left + width) / 2,
                     height - 12);
  out +=
      fmt::format("<text x='16' y='{0}' transform='rotate(-90 16 {0})' text-anchor='middle'>Mbit/s</text>\n",
                  (top + height - bottom) / 2);
  return out;
}

}  // namespace

std::string chart(const Transfer& transfer) {
  const std::vector<Point> points = rates(transfer.samples);
  Scale scale;
  for (const Point& point : points) {
    scale.ms = std::max(scale.ms, point.at_ms);
    scale.megabits = std::max(scale.megabits, point.megabits * 1.1);
  }
  std::string out = fmt::format(
      "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {} {}' font-family='sans-serif' font-size='12'>\n"
      "<style>.grid{{stroke:#ddd}} .rate{{fill:none;stroke:#1f6feb;stroke-width:1.5}} .move{{stroke:#d1242f;"
      "stroke-dasharray:4 3}}</style>\n<rect width='100%' height='100%' fill='white'/>\n"
      "<text x='{}' y='20' font-size='14'>{}: {} bytes, {} moves in mid-stream</text>\n",
      width, height, left, transfer.program, transfer.bytes, transfer.moves.size());
  out += axes(scale);
  out += "<polyline class='rate' points='";
  for (const Point& point : points)
    out += fmt::format("{:.1f},{:.1f} ", scale.x(point.at_ms), scale.y(point.megabits));
  out += "'/>\n";
  for (const Move& move : transfer.moves)
    out += fmt::format(
        "<line class='move' x1='{0:.1f}' x2='{0:.1f}' y1='{1}' y2='{2}'/><text x='{0:.1f}' y='{3}' "
        "text-anchor='middle' fill='#d1242f'>{4} → {5}, {6:.1f} ms</text>\n",
        scale.x(move.at_ms), top, height - bottom, top - 8, move.from, move.to, move.pause_ms);
  return out + "</svg>\n";
}

}  // namespace sockswap::demo
