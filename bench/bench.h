// The benchmarks. Each makes a lab, measures, and returns one JSON object with its figure and the parts of
// it.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/result.h"

namespace sockswap::bench {

using Json = nlohmann::ordered_json;

struct Options {
  int moves = 1000;             // idle; lone-request makes a tenth
  int pairs = 7;                // stream: alternating, one moved and one not
  int megabytes = 400;          // stream, thesis
  std::string rate = "10gbit";  // stream, thesis: of every link
  std::string delay = "2ms";    // lone-request: of every link, each way
  int soak_moves = 100'000;
  bool both_wander = false;        // soak
  double megabytes_a_second = 10;  // soak: each way
  std::string round_trip = "0ms";  // thesis: between two hosts, on top of what the machine takes
  int rounds = 5;                  // thesis: of all rows
  int lanes = 0;                   // thesis: rows measured at the same time; 0: as the rate allows
  bool quick = false;              // thesis: a tenth of the bytes, once
  std::vector<std::string> rows;   // thesis: none is all
  std::string results, name;       // thesis: folder for table and charts, and how their names begin
};

// What a benchmark has to say: its figures, and how a reader is shown them (empty: a line a figure).
struct Report {
  Json figures;
  std::string text;
};

// Moves of an idle connection, one after the other: how long its end stands still, and of what that is made.
Result<Json> idle(const Options& options);
// A long stream with one move in the middle against the same stream without.
Result<Json> stream(const Options& options);
// A request that is in flight when the move begins: how long its answer takes.
Result<Json> lone_request(const Options& options);
// Moves of an idle connection while a stranger floods the daemon of its staying end's host, against moves
// without.
Result<Json> flood(const Options& options);
// One connection under load moved very often, and what drifts meanwhile; `holds` is false if anything does.
Result<Json> soak(const Options& options);
// The table of the thesis of 2002, made anew: relays, plain TCP, socket swaps and today's ways, side by side.
Result<Report> thesis(const Options& options);

}  // namespace sockswap::bench
