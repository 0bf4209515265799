#include "lab/quality.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <utility>

namespace sockswap::lab {
namespace {

struct Measure {
  double number;
  std::string_view unit;
};

Result<Measure> split(std::string_view text, std::string_view what, std::string_view example) {
  Measure measure{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), measure.number);
  if (error != std::errc{} || measure.number < 0)
    return failure(ErrorCode::usage, fmt::format("\"{}\" is not a {}", text, what),
                   fmt::format("write it as {}", example));
  measure.unit = text.substr(static_cast<std::size_t>(end - text.data()));
  return measure;
}

// 2^63, so that whatever is below fits into 64 bits with a sign.
constexpr double kTooMuch = 9223372036854775808.0;

template <std::size_t N>
Result<double> scaled(std::string_view text, std::string_view what, std::string_view example,
                      const std::array<std::pair<std::string_view, double>, N>& units) {
  SOCKSWAP_TRY(const Measure measure, split(text, what, example));
  for (const auto& [unit, factor] : units) {
    if (measure.unit != unit) continue;
    const double value = measure.number * factor;
    if (value < kTooMuch) return value;  // false for what is not a number, too
    return failure(ErrorCode::usage, fmt::format("\"{}\" is too much for a {}", text, what));
  }
  return failure(ErrorCode::usage, fmt::format("\"{}\" has no unit of a {}", text, what),
                 fmt::format("write it as {}", example));
}

bool is_share(double value) { return value >= 0 && value <= 1; }

}  // namespace

bool LinkQuality::needs_wire() const {
  return delay.count() > 0 || jitter.count() > 0 || loss > 0 || duplicate > 0 || reorder > 0;
}

Result<> LinkQuality::check() const {
  if (!is_share(loss) || !is_share(duplicate) || !is_share(reorder))
    return failure(ErrorCode::usage, "loss, duplication and reordering are shares between 0 and 1");
  if (delay.count() < 0 || jitter.count() < 0)
    return failure(ErrorCode::usage, "a link can't deliver before the frame was sent",
                   "delay and jitter must not be negative");
  if (rate != 0 && rate < 8000)
    return failure(ErrorCode::usage, "a link of less than 8 kbit/s is too slow for one frame a second");
  return {};
}

Result<std::chrono::nanoseconds> parse_duration(std::string_view text) {
  static constexpr std::array<std::pair<std::string_view, double>, 4> units{
      {{"s", 1e9}, {"ms", 1e6}, {"us", 1e3}, {"ns", 1}}};
  SOCKSWAP_TRY(const double nanoseconds, scaled(text, "duration", "10ms", units));
  return std::chrono::nanoseconds(static_cast<std::int64_t>(nanoseconds));
}

Result<double> parse_share(std::string_view text) {
  static constexpr std::array<std::pair<std::string_view, double>, 2> units{{{"%", 0.01}, {"", 1}}};
  SOCKSWAP_TRY(const double share, scaled(text, "share", "1%", units));
  if (!is_share(share))
    return failure(ErrorCode::usage, fmt::format("\"{}\" is more than everything", text), "write it as 1%");
  return share;
}

Result<std::uint64_t> parse_rate(std::string_view text) {
  static constexpr std::array<std::pair<std::string_view, double>, 4> units{
      {{"gbit", 1e9}, {"mbit", 1e6}, {"kbit", 1e3}, {"bit", 1}}};
  SOCKSWAP_TRY(const double bits, scaled(text, "rate", "100mbit", units));
  return static_cast<std::uint64_t>(bits);
}

}  // namespace sockswap::lab
