#include "lab/quality.h"

#include <gtest/gtest.h>

namespace sockswap::lab {
namespace {

using namespace std::chrono_literals;

TEST(Quality, durations_carry_their_unit) {
  EXPECT_EQ(*parse_duration("10ms"), 10ms);
  EXPECT_EQ(*parse_duration("1.5s"), 1500ms);
  EXPECT_EQ(*parse_duration("250us"), 250us);
  for (const char* bad : {"10", "ms", "-1ms", "10 ms", "10min", "", "nans", "infs", "9223372037s"})
    EXPECT_FALSE(parse_duration(bad)) << bad;
  EXPECT_TRUE(parse_duration("9223372036s")) << "what 64 bits can hold";
}

TEST(Quality, shares_are_percent_or_plain) {
  EXPECT_DOUBLE_EQ(*parse_share("1%"), 0.01);
  EXPECT_DOUBLE_EQ(*parse_share("0.5"), 0.5);
  for (const char* bad : {"101%", "1.5", "-1%", "few"}) EXPECT_FALSE(parse_share(bad)) << bad;
}

TEST(Quality, rates_are_decimal_bits_a_second) {
  EXPECT_EQ(*parse_rate("100mbit"), 100'000'000u);
  EXPECT_EQ(*parse_rate("1.5gbit"), 1'500'000'000u);
  for (const char* bad : {"100", "100MB", "fast"}) EXPECT_FALSE(parse_rate(bad)) << bad;
}

TEST(Quality, impossible_links_are_refused) {
  EXPECT_TRUE(LinkQuality{}.check());
  EXPECT_FALSE((LinkQuality{.loss = 1.1}.check()));
  EXPECT_FALSE((LinkQuality{.delay = -1ms}.check()));
  EXPECT_FALSE((LinkQuality{.rate = 1}.check()));
}

TEST(Quality, rate_alone_needs_no_wire) {
  EXPECT_FALSE((LinkQuality{.rate = 100'000'000}.needs_wire()));
  EXPECT_TRUE((LinkQuality{.delay = 1ms}.needs_wire()));
  EXPECT_TRUE((LinkQuality{.duplicate = 0.1}.needs_wire()));
}

}  // namespace
}  // namespace sockswap::lab
