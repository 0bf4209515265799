#include <fmt/format.h>

#include "bench.h"
#include "soak/soak.h"

namespace sockswap::bench {

Result<Json> soak(const Options& options) {
  const sockswap::soak::Programs programs{SOCKSWAPD, SOAK_WANDERER, SOAK_STILL};
  SOCKSWAP_TRY(const auto outcome,
               sockswap::soak::run(
                   programs, {.moves = options.soak_moves,
                              .both_wander = options.both_wander,
                              .megabytes_a_second = options.megabytes_a_second,
                              .say = [](const std::string& line) { fmt::print(stderr, "{}\n", line); }}));
  return outcome.figures;
}

}  // namespace sockswap::bench
