#include "lab/impairment.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

namespace sockswap::lab {
namespace {

using namespace std::chrono_literals;

constexpr int kFrames = 10'000;

std::vector<Fate> fates(std::uint64_t seed, const LinkQuality& quality) {
  Impairment impairment(seed);
  std::vector<Fate> decided;
  for (int i = 0; i < kFrames; ++i) decided.push_back(impairment.decide(quality));
  return decided;
}

const LinkQuality kBad{.delay = 10ms, .jitter = 3ms, .loss = 0.1, .duplicate = 0.1, .reorder = 0.1};

TEST(Impairment, the_same_seed_replays_and_another_does_not) {
  EXPECT_EQ(fates(7, kBad), fates(7, kBad));
  EXPECT_NE(fates(7, kBad), fates(8, kBad));
}

// Pins the pattern itself: a recorded seed must mean the same with every compiler and library.
TEST(Impairment, the_pattern_of_a_seed_is_fixed) {
  const auto decided = fates(7, {.loss = 0.1});
  std::vector<std::ptrdiff_t> lost;
  for (auto at = decided.begin(); at != decided.end() && lost.size() < 4; ++at)
    if (at->copies == 0) lost.push_back(at - decided.begin());
  EXPECT_EQ(lost, (std::vector<std::ptrdiff_t>{11, 15, 19, 25}));
}

TEST(Impairment, changing_one_number_leaves_the_other_patterns) {
  const auto without_loss = fates(7, {.duplicate = 0.2});
  const auto with_loss = fates(7, {.loss = 0.3, .duplicate = 0.2});
  for (std::size_t i = 0; i < without_loss.size(); ++i) {
    if (with_loss[i].copies != 0) {
      EXPECT_EQ(with_loss[i], without_loss[i]);
    }
  }
}

TEST(Impairment, shares_come_out_as_asked) {
  const auto decided = fates(7, kBad);
  const auto share = [&](auto property) {
    return static_cast<double>(std::count_if(decided.begin(), decided.end(), property)) / kFrames;
  };
  EXPECT_NEAR(share([](const Fate& fate) { return fate.copies == 0; }), 0.1, 0.02);
  EXPECT_NEAR(share([](const Fate& fate) { return fate.copies == 2; }), 0.09, 0.02);
  EXPECT_NEAR(share([](const Fate& fate) { return fate.overtaken; }), 0.09, 0.02);
}

TEST(Impairment, jitter_adds_and_never_takes_away) {
  for (const Fate& fate : fates(7, {.delay = 10ms, .jitter = 3ms})) {
    EXPECT_GE(fate.hold, 10ms);
    EXPECT_LE(fate.hold, 13ms);
  }
}

TEST(Impairment, a_good_link_does_nothing) {
  for (const Fate& fate : fates(7, {})) EXPECT_EQ(fate, Fate{});
}

}  // namespace
}  // namespace sockswap::lab
