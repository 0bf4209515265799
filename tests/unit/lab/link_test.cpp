#include "lab/link.h"

#include <unistd.h>

#include "traffic.h"

namespace sockswap::lab::test {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

class TwoHosts : public testing::TestWithParam<Topology> {
 protected:
  void SetUp() override {
    SKIP_WITHOUT_ROOT();
    auto made = Lab::create(hosts_named({"alpha", "beta"}, GetParam()));
    ASSERT_TRUE(made) << made.error().text();
    lab_.emplace(std::move(*made));
  }
  Host& alpha() { return lab_->host("alpha"); }
  Host& beta() { return lab_->host("beta"); }
  bool pings() {
    const auto ping = alpha().run({"ping", "-c1", "-W1", beta().v4().text()});
    return ping && ping->status.ok();
  }

  std::optional<Lab> lab_;
};
INSTANTIATE_TEST_SUITE_P(Link, TwoHosts, testing::Values(Topology::bridge, Topology::routed),
                         [](const auto& topology) { return std::string(name(topology.param)); });

// A property of the link, not a measurement: no round trip is shorter than twice the delay.
TEST_P(TwoHosts, a_round_trip_takes_at_least_twice_the_delay) {
  ASSERT_DONE(alpha().set_link({.delay = 30ms}));
  ASSERT_VALUE(Pair pair, connected_pair(alpha(), beta(), beta().v4(), 7000));
  const auto start = Clock::now();
  ASSERT_TRUE(talks(pair));  // one byte there, one back
  EXPECT_GE(Clock::now() - start, 60ms);
}

TEST_P(TwoHosts, a_connection_lives_through_every_change_of_quality) {
  ASSERT_VALUE(Pair pair, connected_pair(alpha(), beta(), beta().v6(), 7000));
  const LinkQuality plain{}, late{.delay = 5ms}, lossy{.loss = 0.05}, slow{.rate = 50'000'000};
  for (const LinkQuality& quality : {plain, late, lossy, slow, late, plain}) {
    ASSERT_DONE(alpha().set_link(quality));
    EXPECT_TRUE(talks(pair));
    EXPECT_EQ(alpha().wire_counters().has_value(), quality.needs_wire());
  }
}

TEST_P(TwoHosts, the_rate_holds_in_both_directions) {
  ASSERT_DONE(alpha().set_link({.rate = 20'000'000}));
  ASSERT_VALUE(Pair pair, connected_pair(alpha(), beta(), beta().v4(), 7000));
  const std::string text(1'000'000, 'x');  // 0.4 s, but for what the bucket lets through at once
  for (const auto& [from, to] : {std::pair{&pair.client, &pair.server}, {&pair.server, &pair.client}}) {
    const auto start = Clock::now();
    std::thread sender([&, socket = from] { (void)send_all(*socket, text); });
    const auto got = receive(*to, text.size());
    sender.join();
    ASSERT_TRUE(got) << got.error().text();
    EXPECT_EQ(got->size(), text.size());
    EXPECT_GE(Clock::now() - start, 300ms);
  }
}

TEST_P(TwoHosts, a_cut_stops_everything_and_heals) {
  for (const LinkQuality& quality : {LinkQuality{}, LinkQuality{.delay = 1ms}}) {
    ASSERT_DONE(alpha().set_link(quality));
    EXPECT_TRUE(pings());
    ASSERT_DONE(alpha().cut());
    EXPECT_FALSE(pings());
    ASSERT_DONE(alpha().heal());
    EXPECT_TRUE(pings());
  }
}

TEST_P(TwoHosts, a_one_way_cut_lets_the_other_way_through) {
  ASSERT_TRUE(pings());  // so that neighbours are known
  for (const auto direction : {Direction::in, Direction::out}) {
    ASSERT_DONE(beta().cut(direction));
    const std::size_t into = direction == Direction::in ? 0 : 10, out_of = 10 - into;
    ASSERT_VALUE(auto to_beta, numbered_datagrams(alpha(), beta(), 10, into));
    ASSERT_VALUE(auto from_beta, numbered_datagrams(beta(), alpha(), 10, out_of));
    EXPECT_EQ(to_beta.size(), into);
    EXPECT_EQ(from_beta.size(), out_of);
  }
  ASSERT_DONE(beta().heal());
  EXPECT_TRUE(pings());
}

TEST_P(TwoHosts, an_impossible_quality_changes_nothing) {
  ASSERT_DONE(alpha().set_link({.delay = 1ms}));
  EXPECT_FALSE(alpha().set_link({.loss = 2}));
  EXPECT_EQ(alpha().link(), (LinkQuality{.delay = 1ms}));
  EXPECT_TRUE(pings());
}

}  // namespace
}  // namespace sockswap::lab::test
