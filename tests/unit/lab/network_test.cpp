#include "lab/network.h"

#include <unistd.h>

#include "traffic.h"

namespace sockswap::lab::test {
namespace {

class EveryTopology : public testing::TestWithParam<Topology> {};
INSTANTIATE_TEST_SUITE_P(Network, EveryTopology, testing::Values(Topology::bridge, Topology::routed),
                         [](const auto& topology) { return std::string(name(topology.param)); });

TEST_P(EveryTopology, all_pairs_reach_each_other_over_both_families) {
  SKIP_WITHOUT_ROOT();
  ASSERT_VALUE(Lab lab, Lab::create(hosts_named({"alpha", "beta", "gamma"}, GetParam())));
  for (const auto& from : lab.hosts()) {
    for (const auto& to : lab.hosts()) {
      for (const Address& address : {to->v4(), to->v6()}) {
        ASSERT_VALUE(Output ping, from->run({"ping", "-c1", "-W5", address.text()}));
        EXPECT_TRUE(ping.status.ok()) << ping.out << ping.err;
        ASSERT_VALUE(Pair pair, connected_pair(*from, *to, address, 7000));
        EXPECT_TRUE(talks(pair));
        ASSERT_VALUE(FourTuple ends, ends_of(pair.server));
        EXPECT_EQ(ends.remote.address, address.is_v4() ? from->v4() : from->v6());
      }
    }
  }
}

TEST_P(EveryTopology, hosts_know_each_other_by_name) {
  SKIP_WITHOUT_ROOT();
  ASSERT_VALUE(Lab lab, Lab::create(hosts_named({"alpha", "beta"}, GetParam())));
  for (const char* family : {"-4", "-6"}) {
    ASSERT_VALUE(Output ping, lab.host("alpha").run({"ping", family, "-c1", "-W5", "beta"}));
    EXPECT_TRUE(ping.status.ok()) << ping.out << ping.err;
  }
}

TEST(Network, routed_hosts_are_one_hop_apart_and_bridged_ones_are_not) {
  SKIP_WITHOUT_ROOT();
  for (const auto& [topology, reply] :
       {std::pair{Topology::bridge, "ttl=64"}, {Topology::routed, "ttl=63"}}) {
    ASSERT_VALUE(Lab lab, Lab::create(hosts_named({"alpha", "beta"}, topology)));
    ASSERT_VALUE(Output ping, lab.host("alpha").run({"ping", "-4", "-c1", "-W5", "beta"}));
    EXPECT_NE(ping.out.find(reply), std::string::npos) << ping.out;
  }
}

TEST(Network, a_host_does_not_see_the_machines_interfaces) {
  SKIP_WITHOUT_ROOT();
  ASSERT_VALUE(Lab lab, Lab::create(hosts_named({"alpha"})));
  ASSERT_VALUE(Output links, lab.host("alpha").run({"ip", "-br", "link"}));
  EXPECT_EQ(std::count(links.out.begin(), links.out.end(), '\n'), 2) << links.out;
}

TEST(Network, bad_options_are_refused_before_anything_is_made) {
  EXPECT_FALSE(check(hosts_named({})));
  EXPECT_FALSE(check(hosts_named({"Alpha"})));
  EXPECT_FALSE(check(hosts_named({"a/b"})));
  EXPECT_FALSE(check(hosts_named({"alpha", "alpha"})));
  LabOptions options = hosts_named({"alpha"});
  options.name = "../lab";
  EXPECT_FALSE(check(options));
  EXPECT_FALSE(parse_topology("star"));
}

}  // namespace
}  // namespace sockswap::lab::test
