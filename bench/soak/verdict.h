// What a soak has seen, and whether it holds. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "drift.h"
#include "numbered.h"
#include "soak.h"

namespace sockswap::soak {

struct Record {
  int moves = 0;  // that count, the warm-up's not among them
  std::size_t warm_up_moves = 0;
  double seconds = 0;
  std::size_t rests = 0;                             // how often everything was looked at
  std::map<std::string, std::vector<Point>> series;  // at each rest
  std::vector<double> pauses;                        // in µs, in the order of the moves
  Position a, b;                                     // of the two ends, at the end
  std::map<std::string, std::uint64_t> resets;       // RSTs by "alpha sent", "alpha got"
  long busy = 0;                                     // moves that were refused with `busy`, and made later
};

// Figures of which no equality is asked.
inline bool may_waver(const std::string& figure) { return figure.ends_with("_kib"); }

Outcome judge(const Record& record);

}  // namespace sockswap::soak
