// The wire as it stands between two hosts.
#include <unistd.h>

#include <algorithm>
#include <set>

#include "traffic.h"

namespace sockswap::lab::test {
namespace {

constexpr int kDatagrams = 200;

// alpha's link is bad, beta's is plain.
Result<Lab> lab_with(const LinkQuality& quality, std::uint64_t seed = 1) {
  LabOptions options = hosts_named({"alpha", "beta"});
  options.hosts[0].link = quality;
  options.seed = seed;
  SOCKSWAP_TRY(Lab lab, Lab::create(options));
  return lab;
}

Result<std::vector<int>> send(Lab& lab, int count = kDatagrams) {
  return numbered_datagrams(lab.host("alpha"), lab.host("beta"), count);
}

TEST(Wire, a_duplicating_link_delivers_everything_twice) {
  SKIP_WITHOUT_ROOT();
  ASSERT_VALUE(Lab lab, lab_with({.duplicate = 1}));
  ASSERT_VALUE(auto numbers, send(lab));
  ASSERT_EQ(numbers.size(), 2u * kDatagrams);
  for (int number = 0; number < kDatagrams; ++number)
    EXPECT_EQ(std::count(numbers.begin(), numbers.end(), number), 2);
}

TEST(Wire, a_reordering_link_loses_nothing_but_the_order) {
  SKIP_WITHOUT_ROOT();
  ASSERT_VALUE(Lab lab, lab_with({.reorder = 0.2}));
  ASSERT_VALUE(auto numbers, send(lab));
  EXPECT_FALSE(std::is_sorted(numbers.begin(), numbers.end()));
  EXPECT_EQ(std::set<int>(numbers.begin(), numbers.end()).size(), static_cast<std::size_t>(kDatagrams));
  EXPECT_GT(lab.host("alpha").wire_counters()->out.overtaken, 0u);
}

TEST(Wire, jitter_alone_keeps_the_order) {
  SKIP_WITHOUT_ROOT();
  ASSERT_VALUE(Lab lab, lab_with({.jitter = std::chrono::milliseconds(20)}));
  ASSERT_VALUE(auto numbers, send(lab));
  EXPECT_EQ(numbers.size(), static_cast<std::size_t>(kDatagrams));
  EXPECT_TRUE(std::is_sorted(numbers.begin(), numbers.end()));
}

TEST(Wire, what_is_lost_is_counted) {
  SKIP_WITHOUT_ROOT();
  ASSERT_VALUE(Lab lab, lab_with({.loss = 0.3}));
  ASSERT_VALUE(auto numbers, send(lab));
  const auto out = lab.host("alpha").wire_counters()->out;
  EXPECT_GT(numbers.size(), 0u);
  EXPECT_LT(numbers.size(), static_cast<std::size_t>(kDatagrams));
  EXPECT_GT(out.lost, 0u);
  EXPECT_EQ(out.seen, out.lost + out.delivered);
}

// Large TCP packets are cut before the wire: a frame is never larger than the MTU and its header.
TEST(Wire, a_lossy_link_carries_a_stream_intact_in_frames_of_one_segment) {
  SKIP_WITHOUT_ROOT();
  ASSERT_VALUE(Lab lab, lab_with({.loss = 0.01}));
  ASSERT_VALUE(Pair pair, connected_pair(lab.host("alpha"), lab.host("beta"), lab.host("beta").v4(), 7000));
  const std::string text(1 << 20, 'x');
  std::thread sender([&] { (void)send_all(pair.client, text); });
  const auto got = receive(pair.server, text.size());
  sender.join();
  ASSERT_TRUE(got) << got.error().text();
  EXPECT_EQ(*got, text);
  EXPECT_GE(lab.host("alpha").wire_counters()->out.seen, text.size() / 1448);
}

}  // namespace
}  // namespace sockswap::lab::test
