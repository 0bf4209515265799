#include "verdict.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "../statistics.h"

namespace sockswap::soak {
namespace {

// Of what may waver, besides what the daemon knows of past moves: that is full after the warm-up of a long
// soak.
constexpr double allowed_kib = 1024;
constexpr double record_kib = 2;
constexpr double id_kib = 0.1;
// A journal grows until it is written anew: src/daemon/journal_file.cpp.
constexpr double journal_kib = 4096;
// A segment may stay under way for longer than the freeze lasts, on a busy machine: it meets a host that has
// no such socket any more, and its RST none that it could reset.
constexpr double most_resets = 0.001;  // a move
constexpr double resets_of_a_short_soak = 2;
constexpr std::size_t least_for_pauses = 10'000;  // moves

double allowed(const std::string& name, const Record& record) {
  if (name.ends_with(".files_kib")) return allowed_kib + journal_kib;
  const bool remembers = name.find("sockswapd") != std::string::npos;
  const auto of_what_fills = [&](int moves, double kib) {
    const bool full = record.warm_up_moves >= static_cast<std::size_t>(moves);
    return remembers && !full ? kib * std::min<double>(record.moves, moves) : 0;
  };
  return allowed_kib + of_what_fills(fills_the_history, record_kib) + of_what_fills(fills_the_ids, id_kib);
}

std::optional<std::string> drift(const std::string& name, const std::vector<Point>& points,
                                 const Record& record) {
  if (points.size() != record.rests) return name + " wasn't always there";
  if (name.ends_with(".socket_filters") && points.back().value != 0) return name + " is not 0";
  return may_waver(name) ? risen(name, points, allowed(name, record)) : changed(name, points);
}

Json tenth(double p50, double p99) { return {{"p50", std::round(p50)}, {"p99", std::round(p99)}}; }

}  // namespace

Outcome judge(const Record& record) {
  Outcome out;
  const auto complain = [&](std::optional<std::string> complaint) {
    if (complaint) out.complaints.push_back(*std::move(complaint));
  };
  Json at_rest;
  for (const auto& [name, points] : record.series) {
    complain(drift(name, points, record));
    at_rest[name] = Json{{"first", points.front().value}, {"last", points.back().value}};
    if (may_waver(name)) at_rest[name]["rise"] = std::round(rise(points));
  }
  const PauseDrift pause = pause_drift(record.pauses);
  // A tenth of fewer moves lasts about as long as a neighbour's work on the machine does.
  if (record.pauses.size() >= least_for_pauses) complain(pause.complaint);
  if (record.a.sent != record.b.received || record.b.sent != record.a.received)
    complain(fmt::format("{} and {} bytes were sent, {} and {} received", record.a.sent, record.b.sent,
                         record.b.received, record.a.received));
  for (const auto& [who, packets] : record.resets)
    if (static_cast<double>(packets) > resets_of_a_short_soak + record.moves * most_resets)
      complain(fmt::format("{} {} RST", who, packets));
  out.figures = Json{{"moves", record.moves},
                     {"warm_up_moves", record.warm_up_moves},
                     {"seconds", record.seconds},
                     {"moves_per_second", record.moves / record.seconds},
                     {"bytes_sent", {record.a.sent, record.b.sent}},
                     {"tried_again", record.busy},
                     {"pause_us", bench::summary(record.pauses)},
                     {"pause_first_tenth_us", tenth(pause.first_p50, pause.first_p99)},
                     {"pause_last_tenth_us", tenth(pause.last_p50, pause.last_p99)},
                     {"resets", record.resets},
                     {"at_rest", at_rest},
                     {"complaints", out.complaints},
                     {"holds", out.complaints.empty()}};
  return out;
}

}  // namespace sockswap::soak
