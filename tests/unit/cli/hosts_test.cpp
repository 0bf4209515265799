#include <gtest/gtest.h>

#include "fake_daemon.h"
#include "run_command.h"
#include "wire/endpoints.h"

namespace sockswap::cli {
namespace {

std::string address(std::string_view text) { return std::string(text_of(Address::parse(text)->bytes())); }

wire::Reply three_hosts() {
  wire::Reply reply;
  auto& alpha = *reply.mutable_hosts()->add_hosts();
  alpha.set_name("alpha");
  alpha.add_addresses(address("10.0.0.1"));
  alpha.set_port(7337);
  alpha.set_state("self");
  auto& beta = *reply.mutable_hosts()->add_hosts();
  beta.set_name("beta");
  beta.add_addresses(address("10.0.0.2"));
  beta.add_addresses(address("fd00::2"));
  beta.set_port(7400);
  beta.set_state("connected");
  beta.set_round_trip_us(85);
  auto& gamma = *reply.mutable_hosts()->add_hosts();
  gamma.set_name("gamma");
  gamma.add_addresses(address("10.0.0.3"));
  gamma.set_port(7337);
  gamma.set_state("unreachable");
  gamma.set_error("connect 10.0.0.3:7337: Connection refused");
  return reply;
}

TEST(Hosts, AsText) {
  const FakeDaemon daemon(three_hosts());
  const Ran ran = ask(daemon.path(), {"hosts"});
  EXPECT_EQ(ran.status, 0);
  EXPECT_EQ(ran.err, "");
  EXPECT_EQ(ran.out,
            "HOST   STATE        ROUND TRIP  PORT  ADDRESSES\n"
            "alpha  self                  -  7337  10.0.0.1\n"
            "beta   connected         85 µs  7400  10.0.0.2 fd00::2\n"
            "gamma  unreachable           -  7337  10.0.0.3\n"
            "    connect 10.0.0.3:7337: Connection refused\n");
}

TEST(Hosts, AsJson) {
  const FakeDaemon daemon(three_hosts());
  const Ran ran = ask(daemon.path(), {"hosts", "--json"});
  EXPECT_EQ(ran.status, 0);
  EXPECT_EQ(ran.json(), Json::parse(R"({"hosts": [
    {"name": "alpha", "addresses": ["10.0.0.1"], "port": 7337, "state": "self",
     "round_trip_us": null, "error": null},
    {"name": "beta", "addresses": ["10.0.0.2", "fd00::2"], "port": 7400, "state": "connected",
     "round_trip_us": 85.0, "error": null},
    {"name": "gamma", "addresses": ["10.0.0.3"], "port": 7337, "state": "unreachable",
     "round_trip_us": null, "error": "connect 10.0.0.3:7337: Connection refused"}]})"));
}

TEST(Hosts, RefusesAnAddressOfTheWrongSize) {
  wire::Reply reply = three_hosts();
  reply.mutable_hosts()->mutable_hosts(1)->set_addresses(0, "abc");
  const FakeDaemon daemon(reply);
  const Ran ran = ask(daemon.path(), {"hosts"});
  EXPECT_EQ(ran.status, 1);
  EXPECT_EQ(ran.out, "");
  EXPECT_EQ(ran.err, "sockswap: sockswapd's reply has a bad address: an address has 4 or 16 bytes, not 3\n");
}

TEST(Hosts, RefusesAPortThatIsNone) {
  wire::Reply reply = three_hosts();
  reply.mutable_hosts()->mutable_hosts(1)->set_port(65536);
  const FakeDaemon daemon(reply);
  EXPECT_EQ(ask(daemon.path(), {"hosts"}).status, 1);
}

// A name from elsewhere must not drive the operator's terminal.
TEST(Hosts, EscapeSequencesInNamesAreMadeHarmless) {
  wire::Reply reply = three_hosts();
  reply.mutable_hosts()->mutable_hosts(0)->set_name("\x1b[2Jalpha");
  const FakeDaemon daemon(reply);
  const Ran ran = ask(daemon.path(), {"hosts"});
  EXPECT_EQ(ran.out.find('\x1b'), std::string::npos);
  EXPECT_NE(ran.out.find("?[2Jalpha"), std::string::npos);
}

}  // namespace
}  // namespace sockswap::cli
