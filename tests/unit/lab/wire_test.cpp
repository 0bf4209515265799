// The wire as it stands between two hosts.
#include <unistd.h>

#include <algorithm>
#include <set>

#include "traffic.h"

namespace sockswap::lab::test {
namespace {

constexpr std::size_t kDatagrams = 200;

// alpha's link is bad, beta's is plain; they know each other's MAC: a lost ARP would cost a second.
Result<Lab> lab_with(const LinkQuality& quality) {
  SOCKSWAP_TRY(Lab lab, Lab::create(hosts_named({"alpha", "beta"})));
  SOCKSWAP_CHECK(connected_pair(lab.host("alpha"), lab.host("beta"), lab.host("beta").v4(), 6999));
  SOCKSWAP_CHECK(lab.host("alpha").set_link(quality));
  return lab;
}

Result<std::vector<int>> send(Lab& lab, std::size_t expected) {
  return numbered_datagrams(lab.host("alpha"), lab.host("beta"), kDatagrams, expected);
}

TEST(Wire, a_duplicating_link_delivers_everything_twice) {
  SKIP_WITHOUT_ROOT();
  ASSERT_VALUE(Lab lab, lab_with({.duplicate = 1}));
  ASSERT_VALUE(auto numbers, send(lab, 2 * kDatagrams));
  ASSERT_EQ(numbers.size(), 2 * kDatagrams);
  for (int number = 0; number < static_cast<int>(kDatagrams); ++number)
    EXPECT_EQ(std::count(numbers.begin(), numbers.end(), number), 2);
}

TEST(Wire, a_reordering_link_loses_nothing_but_the_order) {
  SKIP_WITHOUT_ROOT();
  ASSERT_VALUE(Lab lab, lab_with({.reorder = 0.2}));
  ASSERT_VALUE(auto numbers, send(lab, kDatagrams));
  EXPECT_FALSE(std::is_sorted(numbers.begin(), numbers.end()));
  EXPECT_EQ(std::set<int>(numbers.begin(), numbers.end()).size(), kDatagrams);
  EXPECT_GT(lab.host("alpha").wire_counters()->out.overtaken, 0u);
}

TEST(Wire, jitter_alone_keeps_the_order) {
  SKIP_WITHOUT_ROOT();
  ASSERT_VALUE(Lab lab, lab_with({.jitter = std::chrono::milliseconds(20)}));
  ASSERT_VALUE(auto numbers, send(lab, kDatagrams));
  EXPECT_EQ(numbers.size(), kDatagrams);
  EXPECT_TRUE(std::is_sorted(numbers.begin(), numbers.end()));
}

TEST(Wire, what_is_lost_is_counted) {
  SKIP_WITHOUT_ROOT();
  ASSERT_VALUE(Lab lab, lab_with({.loss = 0.3}));
  ASSERT_VALUE(auto numbers, send(lab, 1));
  const auto out = lab.host("alpha").wire_counters()->out;
  EXPECT_GT(numbers.size(), 0u);
  EXPECT_LT(numbers.size(), kDatagrams);
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
