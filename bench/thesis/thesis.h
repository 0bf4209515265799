// The table that the thesis of 2002 ends with, made anew: one file through one connection, an end of which
// moves, is relayed, reconnects or stays, side by side in one run.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "rows.h"

namespace sockswap::thesis {

struct Options {
  std::uint64_t megabytes = 400;           // 10^6 bytes each
  std::uint64_t rate = 100'000'000;        // of every link, bits a second; 0: as fast as the machine goes
  std::chrono::nanoseconds round_trip{0};  // between two hosts, on top of what the machine takes
  int rounds = 5;                          // of all rows
  int lanes = 1;                           // rows measured at the same time, on stages of their own
  std::vector<std::string> rows = {};      // none: all
  Programs programs;
  std::function<void(const std::string& line)> say = [](const std::string&) {};
};

Result<> check(const Options& options);

struct RowResult {
  const Row* row = nullptr;
  std::vector<Measured> rounds;
  std::vector<double> ratios;  // of each round: seconds ÷ those of plain TCP of its kind in the same round
  double cpu_s_per_gb = 0;     // measured alone, on some of the bytes
  std::optional<double> round_trip_us;

  double median(double Measured::*what) const;
};

struct Results {
  Options options;
  std::vector<RowResult> rows;
  double took_s = 0;

  const RowResult* find(const std::string& name) const;
};

Result<Results> run(const Options& options);

using Json = nlohmann::ordered_json;
Json to_json(const Results& results);
std::string to_table(const Results& results);  // in Markdown, which a terminal shows well
// Writes table and charts into a folder, which is made: NAME.md, NAME-bars.svg, NAME-ROW.svg.
Result<> write(const Results& results, const std::filesystem::path& folder, const std::string& name);

}  // namespace sockswap::thesis
