#include <fmt/format.h>

#include "bench.h"
#include "thesis/thesis.h"

namespace sockswap::bench {
namespace {

// At 100 Mbit/s nobody's processor is busy, and 400 MB take 34 s: several rows at once don't disturb each
// other.
int lanes_for(const Options& options, std::uint64_t rate) {
  if (options.lanes != 0) return options.lanes;
  return rate != 0 && rate <= 100'000'000 ? 3 : 1;
}

}  // namespace

Result<Report> thesis(const Options& options) {
  SOCKSWAP_TRY(const std::uint64_t rate, lab::parse_rate(options.rate));
  SOCKSWAP_TRY(const std::chrono::nanoseconds round_trip, lab::parse_duration(options.round_trip));
  SOCKSWAP_TRY(
      const auto results,
      sockswap::thesis::run({.megabytes = static_cast<std::uint64_t>(options.quick ? 40 : options.megabytes),
                             .rate = rate,
                             .round_trip = round_trip,
                             .rounds = options.quick ? 1 : options.rounds,
                             .lanes = lanes_for(options, rate),
                             .rows = options.rows,
                             .programs = {.sockswapd = SOCKSWAPD,
                                          .sockswap = SOCKSWAP,
                                          .end = THESIS_END,
                                          .guest = LAB_GUEST,
                                          .call_kernel = CALL_KERNEL},
                             .say = [](const std::string& line) { fmt::print(stderr, "{}\n", line); }}));
  if (!options.results.empty()) SOCKSWAP_CHECK(write(results, options.results, options.name));
  return Report{to_json(results), to_table(results)};
}

}  // namespace sockswap::bench
