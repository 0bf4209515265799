// 100,000 simulated runs (under a sanitizer, which makes each several times slower, 4,000), and that each way
// of being wrong that we could think of is noticed by them.
#include <gtest/gtest.h>

#include <cctype>

#include "world.h"

namespace sockswap::simulation {
namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool sanitized = true;
#else
constexpr bool sanitized = false;
#endif
constexpr std::uint64_t shard_size = sanitized ? 500 : 12'500;

class Seeds : public ::testing::TestWithParam<int> {};

TEST_P(Seeds, NothingIsEverLost) {
  const std::uint64_t first = 1 + static_cast<std::uint64_t>(GetParam()) * shard_size;
  std::uint64_t moved = 0, undone = 0;
  for (std::uint64_t seed = first; seed < first + shard_size; ++seed) {
    const Outcome outcome = run({.seed = seed});
    ASSERT_FALSE(outcome.violation) << *outcome.violation
                                    << "\nbuild/release/tests/simulation/simulate --replay " << seed;
    moved += static_cast<std::uint64_t>(outcome.moved), undone += static_cast<std::uint64_t>(outcome.undone);
  }
  EXPECT_GT(moved, shard_size / 12) << "both sides of the commit are tried";
  EXPECT_GT(undone, shard_size / 12);
}
INSTANTIATE_TEST_SUITE_P(Simulation, Seeds, ::testing::Range(0, 8));

TEST(Simulation, WithoutFaultsEveryMoveIsMadeOrRefused) {
  int moved = 0;
  for (std::uint64_t seed = 1; seed <= 500; ++seed) {
    const Outcome outcome = run({.seed = seed, .faults = false});
    ASSERT_FALSE(outcome.violation) << seed << ": " << *outcome.violation;
    EXPECT_EQ(outcome.broken, 0) << seed;
    moved += outcome.moved;
  }
  EXPECT_GT(moved, 500);
}

TEST(Simulation, ASeedReplaysExactly) {
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    const Outcome once = run({.seed = seed, .keep_history = true});
    const Outcome again = run({.seed = seed, .keep_history = true});
    ASSERT_EQ(once.history, again.history);
    ASSERT_EQ(once.events, run({.seed = seed}).events) << "and without a history";
  }
}

// How many seeds it takes at most. Most are caught within hundreds; what needs the loss of one host's memory
// and of two links at the right time takes more. `simulate --mutants` prints the seed that catches each.
std::uint64_t stated(Mutant mutant) {
  switch (mutant) {
    case Mutant::origin_trusts_forgetful_arbiter: return 100'000;
    case Mutant::arbiter_forgets_undone:
    case Mutant::held_unwritten:
    case Mutant::peer_decides_in_doubt: return 10'000;
    default: return 2'000;
  }
}

class Mutants : public ::testing::TestWithParam<Mutant> {};

TEST_P(Mutants, AreCaught) {
  if (sanitized && stated(GetParam()) > 10'000)
    GTEST_SKIP() << "too slow under a sanitizer: tens of thousands of runs until it is caught";
  for (std::uint64_t seed = 1; seed <= stated(GetParam()); ++seed)
    if (const Outcome outcome = run({.seed = seed, .mutant = GetParam()}); outcome.violation) {
      RecordProperty("seed", static_cast<int>(seed));
      GTEST_LOG_(INFO) << name(GetParam()) << ": seed " << seed << ": " << *outcome.violation;
      return;
    }
  FAIL() << name(GetParam()) << " isn't noticed by " << stated(GetParam()) << " seeds";
}
INSTANTIATE_TEST_SUITE_P(Simulation, Mutants, ::testing::ValuesIn(all_mutants),
                         [](const auto& each) { return std::string(name(each.param)); });

}  // namespace
}  // namespace sockswap::simulation
