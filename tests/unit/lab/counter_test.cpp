#include <sys/socket.h>
#include <unistd.h>

#include "lab/packet_counter.h"
#include "traffic.h"

namespace sockswap::lab::test {
namespace {

TEST(PacketFilter, becomes_a_rule) {
  PacketFilter filter =
      PacketFilter::segments(*Endpoint::parse("10.0.0.1:80"), *Endpoint::parse("10.0.0.2:90"));
  EXPECT_EQ(*filter.rule(), "meta l4proto tcp ip saddr 10.0.0.1 ip daddr 10.0.0.2 tcp sport 80 tcp dport 90");
  EXPECT_EQ(*PacketFilter::resets().rule(), "meta l4proto tcp tcp flags & 0x4 == 0x4");
  filter.destination = *Address::parse("fd00::1");
  EXPECT_FALSE(filter.rule());
}

class Counter : public testing::Test {
 protected:
  void SetUp() override {
    SKIP_WITHOUT_ROOT();
    auto made = Lab::create(hosts_named({"alpha", "beta", "gamma"}));
    ASSERT_TRUE(made) << made.error().text();
    lab_.emplace(std::move(*made));
  }
  Host& alpha() { return lab_->host("alpha"); }
  Host& beta() { return lab_->host("beta"); }

  std::optional<Lab> lab_;
};

// One byte and its acknowledgement at a time: the number of segments with PSH is known exactly.
TEST_F(Counter, counts_a_known_number_exactly) {
  for (const Address& address : {beta().v4(), beta().v6()}) {
    ASSERT_VALUE(Pair pair, connected_pair(alpha(), beta(), address, 7000));
    ASSERT_VALUE(FourTuple ends, ends_of(pair.client));
    PacketFilter filter = PacketFilter::segments(ends.local, ends.remote);
    filter.flag = TcpFlag::psh;
    ASSERT_VALUE(PacketCounter at_beta, beta().count(filter));
    ASSERT_VALUE(PacketCounter at_alpha, alpha().count(filter));
    ASSERT_VALUE(PacketCounter at_gamma, lab_->host("gamma").count(filter));
    filter.direction = Direction::out;
    ASSERT_VALUE(PacketCounter leaving_beta, beta().count(filter));
    for (int i = 0; i < 25; ++i) ASSERT_TRUE(talks(pair));
    EXPECT_EQ(*at_beta.packets(), 25u);
    EXPECT_EQ(*at_alpha.packets(), 25u);
    EXPECT_EQ(*at_gamma.packets(), 0u);
    EXPECT_EQ(*leaving_beta.packets(), 0u);
  }
}

TEST_F(Counter, sees_a_reset) {
  ASSERT_VALUE(PacketCounter resets, alpha().count(PacketFilter::resets()));
  EXPECT_FALSE(connect_from(alpha(), {beta().v4(), 7}));  // nobody listens
  EXPECT_EQ(*resets.packets(), 1u);
}

TEST_F(Counter, leaves_no_rule_behind) {
  {
    ASSERT_VALUE(PacketCounter resets, alpha().count(PacketFilter::resets()));
    ASSERT_VALUE(Output rules, alpha().run({"nft", "list", "ruleset"}));
    EXPECT_NE(rules.out, "");
  }
  ASSERT_VALUE(Output rules, alpha().run({"nft", "list", "ruleset"}));
  EXPECT_EQ(rules.out, "");
}

TEST_F(Counter, outlives_its_host_harmlessly) {
  ASSERT_VALUE(PacketCounter resets, alpha().count(PacketFilter::resets()));
  ASSERT_DONE(alpha().power_off());
  EXPECT_FALSE(resets.packets());
}

TEST_F(Counter, interface_counters_grow_with_traffic) {
  ASSERT_VALUE(InterfaceCounters before, beta().interface_counters());
  ASSERT_VALUE(auto numbers, numbered_datagrams(alpha(), beta(), 10, 10));
  ASSERT_EQ(numbers.size(), 10u);
  ASSERT_VALUE(InterfaceCounters after, beta().interface_counters());
  EXPECT_GE(after.rx_packets, before.rx_packets + 10);
  EXPECT_GT(after.rx_bytes, before.rx_bytes);
}

}  // namespace
}  // namespace sockswap::lab::test
