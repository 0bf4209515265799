#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include "traffic.h"

namespace sockswap::lab::test {
namespace {

using namespace std::chrono_literals;

class Power : public testing::TestWithParam<Topology> {
 protected:
  void SetUp() override {
    SKIP_WITHOUT_ROOT();
    auto made = Lab::create(hosts_named({"alpha", "beta"}, GetParam()));
    ASSERT_TRUE(made) << made.error().text();
    lab_.emplace(std::move(*made));
  }
  Host& alpha() { return lab_->host("alpha"); }
  Host& beta() { return lab_->host("beta"); }

  std::optional<Lab> lab_;
};
INSTANTIATE_TEST_SUITE_P(Host, Power, testing::Values(Topology::bridge, Topology::routed),
                         [](const auto& topology) { return std::string(name(topology.param)); });

TEST_P(Power, off_ends_all_programs_at_once) {
  ASSERT_VALUE(Process plain, alpha().spawn({.argv = {"sleep", "1000"}}));
  ASSERT_VALUE(Process stubborn,
               alpha().spawn({.argv = {"sh", "-c", "trap '' TERM HUP INT; sleep 1000 & wait"}}));
  const pid_t init = alpha().init_pid();
  ASSERT_DONE(alpha().power_off());
  EXPECT_FALSE(alpha().is_on());
  EXPECT_EQ(*plain.wait(0ms), (ExitStatus{.code = 0, .signal = SIGKILL}));
  EXPECT_EQ(*stubborn.wait(0ms), (ExitStatus{.code = 0, .signal = SIGKILL}));
  EXPECT_EQ(::kill(init, 0), -1);
  EXPECT_FALSE(alpha().spawn({.argv = {"true"}}));
  EXPECT_FALSE(alpha().run({"true"}));
}

TEST_P(Power, comes_back_with_the_same_addresses_disk_and_link) {
  ASSERT_DONE(alpha().set_link({.delay = 1ms}));
  ASSERT_DONE(alpha().write_file("/etc/sockswap/kept", "kept"));
  ASSERT_DONE(alpha().write_file("/var/lib/sockswap/journal", "kept"));
  ASSERT_DONE(alpha().write_file("/run/sockswap/gone", "gone"));
  ASSERT_DONE(alpha().cut());
  const Address v4 = alpha().v4();
  for (int i = 0; i < 3; ++i) {
    ASSERT_DONE(alpha().power_off());
    ASSERT_DONE(alpha().power_on());
  }
  EXPECT_EQ(alpha().v4(), v4);
  ASSERT_VALUE(Output files, alpha().run({"cat", "/etc/sockswap/kept", "/var/lib/sockswap/journal"}));
  EXPECT_EQ(files.out, "keptkept");
  ASSERT_VALUE(Output gone, alpha().run({"ls", "/run/sockswap"}));
  EXPECT_EQ(gone.out, "");
  EXPECT_TRUE(alpha().wire_counters());
  // beta's neighbour entries from before are still right.
  for (const Address& address : {alpha().v4(), alpha().v6()}) {
    ASSERT_VALUE(Pair pair, connected_pair(beta(), alpha(), address, 7000));
    EXPECT_TRUE(talks(pair));
  }
}

// A machine without power says no goodbye, though its kernel would close the sockets of killed programs.
TEST_P(Power, off_sends_neither_fin_nor_rst) {
  ASSERT_VALUE(Process server, alpha().spawn({.argv = {"socat", "TCP-LISTEN:7000", "PIPE"}}));
  Result<Fd> client = connect_from(beta(), {alpha().v4(), 7000});
  for (int i = 0; i < 500 && !client; ++i) {
    ::usleep(10'000);
    client = connect_from(beta(), {alpha().v4(), 7000});
  }
  ASSERT_TRUE(client);
  ASSERT_DONE(send_all(*client, "x"));
  ASSERT_EQ(*receive(*client, 1), "x");
  ASSERT_VALUE(PacketCounter resets, beta().count({.flag = TcpFlag::rst}));
  ASSERT_VALUE(PacketCounter finishes, beta().count({.flag = TcpFlag::fin}));
  ASSERT_DONE(alpha().power_off());
  EXPECT_EQ(*resets.packets(), 0u);
  EXPECT_EQ(*finishes.packets(), 0u);
  char byte = 0;
  EXPECT_EQ(::recv(client->get(), &byte, 1, MSG_DONTWAIT), -1);
  EXPECT_EQ(errno, EAGAIN);
}

TEST_P(Power, the_others_go_on) {
  ASSERT_VALUE(Process other, beta().spawn({.argv = {"sleep", "1000"}}));
  ASSERT_DONE(alpha().power_off());
  EXPECT_TRUE(other.running());
}

}  // namespace
}  // namespace sockswap::lab::test
