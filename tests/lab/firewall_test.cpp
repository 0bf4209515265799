// Moves through stateful firewalls, at the router between the hosts and on the hosts themselves: what goes
// on, what stands still, and what mends that. docs/firewalls.md names each of these tests.
#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <thread>

#include "lab/refusals.h"

namespace sockswap::test {
namespace {

constexpr std::uint16_t daemons_port = 7337;

class Firewalls : public Refusals {
 protected:
  static void SetUpTestSuite() { use(lab::Topology::routed); }

  // And starts the daemons anew: their sessions from before are no news to it, or drop dead.
  static void put_up(const lab::FirewallRules& rules) {
    add(cluster().lab().firewall(rules));
    start_sessions_anew();
  }
  static void put_up_on_every_host(const lab::FirewallRules& rules) {
    for (const char* on : hosts) add(host(on).firewall(rules));
    start_sessions_anew();
  }
  static void take_down() { walls().clear(); }
  static void set_loose() {
    for (lab::Firewall& wall : walls()) ASSERT_TRUE(wall.set_loose(true));
  }
  static std::uint64_t dropped() {
    std::uint64_t packets = 0;
    for (const lab::Firewall& wall : walls()) packets += wall.dropped().value();
    return packets;
  }
  void TearDown() override { take_down(); }

  // A connection between alpha's stayer and beta's moving end, on which `pieces` have gone each way already.
  struct Flow {
    Stayer stayer;
    Fd fd;
    std::size_t done = 0, total;

    void go_on(std::size_t count) {
      std::thread writer([&] { send_ramp(fd, done, count); });
      receive_ramp(fd, done, count);
      writer.join();
      done += count;
    }
    void go_on_to_the_end() {
      go_on(total - done);
      finish_writing(fd);
      expect_end(fd);
      EXPECT_EQ(stayer.verdict(total, total), "");
    }
    // Everything that this end has sent has been acknowledged, at the latest after so long.
    bool acknowledged(std::chrono::milliseconds within) const {
      const auto until = std::chrono::steady_clock::now() + within;
      while (std::chrono::steady_clock::now() < until) {
        if (queue_of(fd, SIOCOUTQ) == 0) return true;
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
      }
      return false;
    }
  };
  static Flow flow(std::size_t total, std::size_t first, bool stayer_dials) {
    auto [stayer, moving] =
        connect("alpha", "beta", stayer_dials, false, false, {.send = total, .receive = total});
    Flow out{std::move(stayer), std::move(moving), 0, total};
    out.go_on(first);
    return out;
  }
  static std::uint16_t port_of(const Fd& fd) {
    sockaddr_storage address{};
    socklen_t size = sizeof address;
    EXPECT_EQ(::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&address), &size), 0);
    return Endpoint::from_sockaddr(address)->port;
  }

  // Away, on, home and away again, with bytes both ways at each place.
  static void expect_to_wander(bool stayer_dials) {
    Flow flow = Firewalls::flow(5 * piece, piece, stayer_dials);
    const char* stops[] = {"beta", "gamma", "beta", "gamma"};
    for (std::size_t i = 1; i < std::size(stops); ++i) {
      flow.fd = move(std::move(flow.fd), stops[i - 1], stops[i]);
      flow.go_on(piece);
    }
    flow.go_on_to_the_end();
  }

  // The connection works until it moves; then the move has done its part and every host says so, but nothing
  // passes, and sockswap's own list shows what waits. When `mend` is done it goes on by itself, whole.
  template <class Mend>
  static void expect_to_stand_still_until(Mend mend) {
    Flow flow = Firewalls::flow(2 * piece, piece, true);
    ASSERT_TRUE(flow.acknowledged(std::chrono::seconds(10)));
    const std::uint64_t before = dropped();
    flow.fd = move(std::move(flow.fd), "beta", "gamma");
    constexpr std::size_t words = 1000;
    send_ramp(flow.fd, flow.done, words);
    EXPECT_FALSE(flow.acknowledged(std::chrono::seconds(1)));
    EXPECT_GT(dropped(), before);
    EXPECT_EQ(last_move("beta")["state"], "finished");
    EXPECT_EQ(last_move("gamma")["state"], "finished");
    EXPECT_TRUE(waits("gamma", words));
    mend();
    EXPECT_TRUE(flow.acknowledged(std::chrono::seconds(20)));
    receive_ramp(flow.fd, flow.done, words);
    flow.done += words;
    flow.go_on_to_the_end();
  }

 private:
  static constexpr const char* hosts[] = {"alpha", "beta", "gamma"};

  static std::vector<lab::Firewall>& walls() {
    static std::vector<lab::Firewall> walls;
    return walls;
  }
  static void add(Result<lab::Firewall> wall) {
    ASSERT_TRUE(wall) << wall.error().text();
    walls().push_back(*std::move(wall));
  }
  static void start_sessions_anew() {
    for (const char* on : hosts) {
      ASSERT_TRUE(cluster().kill_daemon(on));
      ASSERT_TRUE(cluster().start_daemon(on));
    }
    for (int i = 0; i < 600 && !all_connected(); ++i)
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    ASSERT_TRUE(all_connected());
  }
  static bool all_connected() {
    for (const char* on : hosts) {
      const Said said = sockswap(on, {"hosts"});
      for (const nlohmann::json& one : said.json["hosts"])
        if (one["state"] != "connected" && one["state"] != "self") return false;
    }
    return true;
  }
  static bool waits(const std::string& on, std::size_t bytes) {
    const Said said = sockswap(on, {"ls", "--all"});
    for (const nlohmann::json& one : said.json["connections"])
      if (one["send_queue_bytes"] == bytes) return true;
    return false;
  }
};

class EitherDials : public Firewalls, public ::testing::WithParamInterface<bool> {};

TEST_P(EitherDials, ALooseRouterLetsMovesPass) {
  put_up({});
  expect_to_wander(GetParam());
}

TEST_P(EitherDials, LooseHostsLetMovesPass) {
  put_up_on_every_host({});
  expect_to_wander(GetParam());
}

// The port at which an end arrives is open to nobody. Both ends speak first, so that it needn't be.
TEST_P(EitherDials, HostsThatOpenFewPortsLetMovesPass) {
  const auto services_port = static_cast<std::uint16_t>(next_port() + 1);
  put_up_on_every_host({.open_ports = {daemons_port, services_port}});
  expect_to_wander(GetParam());
}

// For the same reason: what goes out isn't looked at.
TEST_P(EitherDials, HostsWhereOnlySynIsNewLetMovesPass) {
  put_up_on_every_host({.only_syn_is_new = true});
  expect_to_wander(GetParam());
}

INSTANTIATE_TEST_SUITE_P(Lab, EitherDials, ::testing::Bool(), [](const auto& test) {
  return std::string(test.param ? "stayer_dials" : "stayer_accepts");
});

// The firewall knows the first 4-tuple with the sequence numbers of when it was left.
TEST_F(Firewalls, AnEndThatComesHomeIsNotTakenForItsFormerSelf) {
  put_up({});
  constexpr std::size_t much = 20'000'000;
  Flow flow = Firewalls::flow(much + 2 * piece, piece, true);
  const std::uint16_t first_port = port_of(flow.fd);
  flow.fd = move(std::move(flow.fd), "beta", "gamma");
  EXPECT_EQ(port_of(flow.fd), first_port);
  flow.go_on(much);
  ASSERT_TRUE(flow.acknowledged(std::chrono::seconds(10)));
  flow.fd = move(std::move(flow.fd), "gamma", "beta");
  EXPECT_NE(port_of(flow.fd), first_port);
  flow.go_on_to_the_end();
}

TEST_F(Firewalls, AStrictRouterStopsWhatHasMovedUntilItIsLoose) {
  put_up({.loose = false});
  expect_to_stand_still_until([] { set_loose(); });
}

TEST_F(Firewalls, ALiberalStrictRouterStopsItToo) {
  put_up({.loose = false, .liberal = true});
  expect_to_stand_still_until([] { set_loose(); });
}

TEST_F(Firewalls, ARouterWhereOnlySynIsNewStopsItUntilTheRuleIsGone) {
  put_up({.only_syn_is_new = true});
  expect_to_stand_still_until([] { take_down(); });
}

TEST_F(Firewalls, StrictHostsStopWhatHasMovedUntilTheyAreLoose) {
  put_up_on_every_host({.loose = false});
  expect_to_stand_still_until([] { set_loose(); });
}

// The harness: a strict firewall is no wall. What begins with SYN passes, and stays.
TEST_F(Firewalls, AStrictRouterLetsAConnectionPassThatStays) {
  put_up({.loose = false});
  Flow flow = Firewalls::flow(3 * piece, piece, true);
  flow.go_on_to_the_end();
}

}  // namespace
}  // namespace sockswap::test
