// sockswapd is killed, or ended in order, in the midst of a move, at each of the three hosts, and starts
// again: the move is made or undone, nothing is lost, and nothing stays behind. (tests/lab/faults* has every
// step; this is the middle of it.)
#include <sys/socket.h>

#include <array>
#include <atomic>
#include <csignal>
#include <thread>
#include <tuple>

#include "lab/fixture.h"

namespace sockswap::test {
namespace {

using namespace std::chrono_literals;

class Restart : public LabTest, public ::testing::WithParamInterface<std::tuple<const char*, int>> {
 protected:
  static constexpr std::size_t half = 200'000;

  // The states of that host's parts in moves that aren't over.
  static std::vector<std::string> states(const std::string& on) {
    std::vector<std::string> open;
    const Said said = sockswap(on, {"moves"});
    for (const auto& move : said.json["moves"])
      if (move["state"] != "finished" && move["state"] != "undone") open.push_back(move["state"]);
    return open;
  }
  static bool in_state(const std::string& on, const std::string& state) {
    for (const std::string& each : states(on))
      if (each == state) return true;
    return false;
  }
  static bool settled() {
    return states("alpha").empty() && states("beta").empty() && states("gamma").empty();
  }
  template <class Condition>
  static bool within(std::chrono::seconds limit, Condition condition) {
    const auto until = std::chrono::steady_clock::now() + limit;
    while (!condition()) {
      if (std::chrono::steady_clock::now() > until) return false;
      std::this_thread::sleep_for(2ms);
    }
    return true;
  }
  static bool works(const Fd& fd) {
    sockaddr_storage address{};
    socklen_t size = sizeof address;
    return ::getpeername(fd.get(), reinterpret_cast<sockaddr*>(&address), &size) == 0;
  }
};

// A move from beta to gamma, asked for on a thread of its own.
class MoveToGamma {
 public:
  MoveToGamma(Client here, std::vector<int> fds)
      : thread_([this, here = std::move(here), given = std::move(fds)]() mutable {
          try {
            const auto look = [this](std::string_view step, double) {
              if (step == "deciding") deciding_ = true;
            };
            (void)here.move(given, "gamma", "restart", std::string("what it knows"), {.progress = look});
          } catch (const Failure& failure) {
            told_ = failure.code();
          } catch (const std::exception&) {  // its daemon was killed
          }
        }) {}

  // As it is told: to `sockswap moves` the answer may come too soon, however far away the arbiter is.
  bool is_deciding() {
    for (int i = 0; i < 10'000 && !deciding_; ++i) std::this_thread::sleep_for(1ms);
    return deciding_;
  }
  // What it was told at its end, if not that all is well.
  std::optional<int> told() {
    if (thread_.joinable()) thread_.join();
    return told_;
  }

 private:
  std::atomic<bool> deciding_{false};
  std::optional<int> told_;
  std::jthread thread_;
};

TEST_P(Restart, GoesOnWithTheMove) {
  const std::string victim = std::get<0>(GetParam());
  const int signal = std::get<1>(GetParam());
  auto [stayer, fd] = connect("alpha", "beta", true, false, false, {.send = 2 * half, .receive = 2 * half});
  receive_ramp(fd, 0, half);
  send_ramp(fd, 0, half);
  std::optional<Client> there(client("gamma"));
  there->register_receiver("restart");
  // 800 ms between the question to the arbiter and its answer.
  ASSERT_TRUE(host("alpha").set_link({.delay = 400ms}));
  const Fd kept = fd.duplicate();  // what the program would still have
  MoveToGamma moving(client("beta"), {fd.release()});
  ASSERT_TRUE(moving.is_deciding());
  ASSERT_TRUE(cluster().daemon(victim).kill(signal));
  ASSERT_TRUE(cluster().daemon(victim).wait());
  std::this_thread::sleep_for(300ms);
  ASSERT_TRUE(cluster().start_daemon(victim));
  if (victim == "gamma") {  // it lost its daemon; the same process comes back under its name
    there.emplace(client("gamma"));
    there->register_receiver("restart");
  }
  (void)moving.told();
  ASSERT_TRUE(host("alpha").set_link({}));
  EXPECT_TRUE(within(30s, [&] { return settled(); }));

  Fd now;
  if (works(kept)) {
    now = kept.duplicate();
  } else {
    auto event = there->next(20s);
    ASSERT_TRUE(event && std::holds_alternative<Arrival>(*event));
    auto& arrival = std::get<Arrival>(*event);
    EXPECT_EQ(arrival.state().text(), "what it knows");
    now = Fd(arrival.take_fd());
  }
  receive_ramp(now, half, half);
  send_ramp(now, half, half);
  finish_writing(now);
  expect_end(now);
  EXPECT_EQ(stayer.verdict(2 * half, 2 * half), "");
}
INSTANTIATE_TEST_SUITE_P(Hosts, Restart,
                         ::testing::Combine(::testing::Values("alpha", "beta", "gamma"),
                                            ::testing::Values(SIGKILL, SIGTERM)),
                         [](const auto& of) {
                           return std::string(std::get<0>(of.param)) +
                                  (std::get<1>(of.param) == SIGKILL ? "_killed" : "_ended_in_order");
                         });

// The peer's daemon doesn't come back: its program runs again after the keeper's limit, and its connection
// too.
TEST_F(Restart, AProgramDoesntStandStillForADaemonThatStaysAway) {
  auto [stayer, fd] = connect("alpha", "beta", true, false, false, {.send = half, .receive = half});
  std::optional<Client> there(client("gamma"));
  there->register_receiver("restart");
  ASSERT_TRUE(host("alpha").set_link({.delay = 400ms}));
  const Fd kept = fd.duplicate();
  MoveToGamma moving(client("beta"), {fd.release()});
  ASSERT_TRUE(moving.is_deciding());  // so alpha holds, and hasn't been asked yet
  ASSERT_TRUE(cluster().kill_daemon("alpha"));
  EXPECT_TRUE(stayer.is_paused()) << "the program is paused, and its daemon is dead";
  EXPECT_TRUE(within(7s, [&] { return !stayer.is_paused(); })) << "it still is";
  ASSERT_TRUE(host("alpha").set_link({}));
  ASSERT_TRUE(cluster().start_daemon("alpha"));
  (void)moving.told();
  EXPECT_TRUE(within(30s, [&] { return settled(); }));
  ASSERT_TRUE(works(kept)) << "the arbiter had not swapped: so it is undone";
  receive_ramp(kept, 0, half);
  send_ramp(kept, 0, half);
  finish_writing(kept);
  expect_end(kept);
  EXPECT_EQ(stayer.verdict(half, half), "");
}

// A peer that isn't the arbiter must not decide, and here nobody is left whom it could ask for a while:
// origin, destination and its own daemon are dead, with the move committed.
TEST_F(Restart, AProgramThatWaitsForAnotherHostsDecisionRunsOnAsInAnOutage) {
  auto [first, first_fd] = connect("alpha", "beta", true, false, false, {.send = half, .receive = half});
  auto [second, second_fd] = connect("gamma", "beta", true, false, false, {.send = half, .receive = half});
  std::optional<Client> there(client("gamma"));
  there->register_receiver("restart");
  ASSERT_TRUE(host("alpha").set_link({.delay = 400ms}));
  MoveToGamma moving(client("beta"), {first_fd.release(), second_fd.release()});
  ASSERT_TRUE(moving.is_deciding());
  ASSERT_TRUE(cluster().kill_daemon("beta"));
  ASSERT_TRUE(cluster().kill_daemon("gamma"));
  EXPECT_TRUE(second.is_paused()) << "the program is paused, and its daemon is dead";
  EXPECT_TRUE(within(7s, [&] { return !second.is_paused(); })) << "it still is";
  ASSERT_TRUE(host("alpha").set_link({}));
  ASSERT_TRUE(cluster().start_daemon("beta"));
  ASSERT_TRUE(cluster().start_daemon("gamma"));
  there.emplace(client("gamma"));
  there->register_receiver("restart");
  (void)moving.told();
  EXPECT_TRUE(within(30s, [&] { return settled(); }));
  auto event = there->next(20s);
  ASSERT_TRUE(event && std::holds_alternative<Arrival>(*event));
  auto& arrival = std::get<Arrival>(*event);
  ASSERT_EQ(arrival.count(), 2U);
  for (std::size_t i = 0; i < 2; ++i) {
    const Fd now(arrival.take_fd(i));
    receive_ramp(now, 0, half);
    send_ramp(now, 0, half);
    finish_writing(now);
    expect_end(now);
  }
  EXPECT_EQ(first.verdict(half, half), "");
  EXPECT_EQ(second.verdict(half, half), "");
}

// The arbiter can't be asked. An operator who knows that it has undone its part doesn't have to wait for it.
TEST_F(Restart, AnOperatorSettlesWhatIsInDoubt) {
  auto [stayer, fd] = connect("alpha", "beta", true, false, false, {.send = half, .receive = half});
  Client there = client("gamma");
  there.register_receiver("restart");
  ASSERT_TRUE(host("alpha").set_link({.delay = 400ms}));
  const Fd kept = fd.duplicate();
  MoveToGamma moving(client("beta"), {fd.release()});
  ASSERT_TRUE(moving.is_deciding());
  ASSERT_TRUE(host("alpha").cut());
  const auto settle = [&](const std::string& on) {
    const Said moves = sockswap(on, {"moves"});
    const std::string id = moves.json["moves"].back()["move_id"];
    return sockswap(on, {"moves", "settle", id.substr(0, 8), "undone"});
  };
  EXPECT_EQ(settle("beta").status(), static_cast<int>(SOCKSWAP_NOT_FOUND))
      << "too soon: it may settle by itself";
  std::this_thread::sleep_for(11s);
  EXPECT_TRUE(in_state("beta", "deciding")) << "nobody guesses";
  EXPECT_EQ(settle("beta").status(), 0);
  EXPECT_TRUE(works(kept));
  EXPECT_EQ(moving.told(), SOCKSWAP_IN_DOUBT);
  ASSERT_TRUE(host("alpha").heal());
  ASSERT_TRUE(host("alpha").set_link({}));
  EXPECT_TRUE(within(60s, [&] { return settled(); }));
  receive_ramp(kept, 0, half);
  send_ramp(kept, 0, half);
  finish_writing(kept);
  expect_end(kept);
  EXPECT_EQ(stayer.verdict(half, half), "");
}

}  // namespace
}  // namespace sockswap::test
