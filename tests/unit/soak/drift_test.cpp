// The detector of drift, on series whose drift is known.
#include "soak/drift.h"

#include <gtest/gtest.h>

#include <random>

namespace sockswap::soak {
namespace {

std::vector<Point> series(double (*value)(double moves)) {
  std::vector<Point> out;
  for (int i = 0; i <= 20; ++i) out.push_back({i * 1000.0, value(i * 1000.0)});
  return out;
}

TEST(Drift, ALevelSeriesRisesByNothing) {
  EXPECT_EQ(rise(series([](double) { return 17000.0; })), 0);
  EXPECT_EQ(risen("memory", series([](double) { return 17000.0; }), 0), std::nullopt);
}

TEST(Drift, ASlowRiseIsSeen) {
  // A tenth of a KiB a move.
  const auto slow = series([](double moves) { return 17000 + moves * 0.1; });
  EXPECT_NEAR(rise(slow), 2000, 1);
  EXPECT_TRUE(risen("memory", slow, 1024));
  EXPECT_FALSE(risen("memory", slow, 2100));
}

TEST(Drift, AStepUpAndDownIsNone) {
  EXPECT_EQ(risen("memory", series([](double moves) { return moves == 20'000 ? 90'000.0 : 17'000.0; }), 100),
            std::nullopt);
  EXPECT_EQ(risen("memory", series([](double moves) { return moves == 0 ? 100.0 : 17'000.0; }), 100),
            std::nullopt);
}

TEST(Drift, AFallIsNone) {
  EXPECT_EQ(risen("memory", series([](double moves) { return 17000 - moves; }), 0), std::nullopt);
}

TEST(Drift, OnePointMoreIsAChange) {
  auto counts = series([](double) { return 15.0; });
  EXPECT_EQ(changed("descriptors", counts), std::nullopt);
  counts.back().value = 16;
  EXPECT_EQ(changed("descriptors", counts), "descriptors changed from 15 to 16 between move 0 and 20000");
}

// Pauses about `us` whose noise is a fixed one.
std::vector<double> pauses(double (*us)(std::size_t move), std::size_t moves = 20'000) {
  std::minstd_rand random(1);
  std::exponential_distribution<double> noise(1 / 100.0);
  std::vector<double> out;
  for (std::size_t i = 0; i < moves; ++i) out.push_back(us(i) + noise(random));
  return out;
}

TEST(PauseDrift, NoneInLevelNoise) {
  EXPECT_EQ(pause_drift(pauses([](std::size_t) { return 600.0; })).complaint, std::nullopt);
  EXPECT_EQ(pause_drift(pauses([](std::size_t) { return 600.0; }, 300)).complaint, std::nullopt);
}

TEST(PauseDrift, ASlowerMedianIsSeen) {
  const auto drift =
      pause_drift(pauses([](std::size_t move) { return 600 + static_cast<double>(move) * 0.02; }));
  ASSERT_TRUE(drift.complaint);
  EXPECT_NE(drift.complaint->find("median"), std::string::npos);
  EXPECT_GT(drift.last_p50, drift.first_p50);
}

// One move in fifty is slow, and ever slower.
TEST(PauseDrift, ASlowerTailIsSeen) {
  const auto drift = pause_drift(
      pauses([](std::size_t move) { return move % 50 == 0 ? 2000 + static_cast<double>(move) * 0.2 : 600; }));
  ASSERT_TRUE(drift.complaint);
  EXPECT_NE(drift.complaint->find("99th percentile"), std::string::npos);
}

TEST(PauseDrift, ANeighboursLastTenthIsNone) {
  EXPECT_EQ(pause_drift(pauses([](std::size_t move) { return move >= 18'000 ? 2000.0 : 600.0; })).complaint,
            std::nullopt);
}

}  // namespace
}  // namespace sockswap::soak
