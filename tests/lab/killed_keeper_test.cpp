// A keeper is killed in the midst of a move, and with it what it kept: the next one thaws the ends that
// programs here still hold, without being told which.
#include <atomic>
#include <csignal>
#include <thread>

#include "lab/faults/left_behind.h"
#include "lab/fixture.h"

namespace sockswap::test {
namespace {

using namespace std::chrono_literals;

class KilledKeeper : public LabTest {
 protected:
  static constexpr std::size_t half = 200'000;

  static void kill_keeper_of(const std::string& name) {
    const pid_t keeper = faults::keeper_of(host(name));
    ASSERT_GT(keeper, 0);
    ASSERT_EQ(::kill(keeper, SIGKILL), 0);
    ASSERT_TRUE(cluster().daemon(name).wait()) << "it ends with its keeper";
  }
  static bool nothing_is_left() {
    for (const char* name : {"alpha", "beta", "gamma"})
      if (!faults::unsettled(host(name), SOCKSWAP).empty()) return false;
    return true;
  }
};

// poll() is started again when the pause ends so abruptly, and asks the socket for nothing but what there is.
TEST_F(KilledKeeper, TheStayingEndGoesOnWithTheMovingOneWhereItWas) {
  auto [stayer, fd] =
      connect("alpha", "beta", true, false, false, {.calls = "poll", .send = 2 * half, .receive = 2 * half});
  receive_ramp(fd, 0, half);
  send_ramp(fd, 0, half);
  Client there = client("gamma");
  there.register_receiver("keeper");
  ASSERT_TRUE(host("alpha").set_link({.delay = 400ms}));
  const Fd kept = fd.duplicate();
  std::atomic<bool> deciding{false}, moved{false};
  std::jthread moving([&, given = fd.release()] {
    try {
      Client here = client("beta");
      const auto look = [&](std::string_view step, double) { deciding = deciding || step == "deciding"; };
      (void)here.move(given, "gamma", "keeper", {}, {.progress = look});
      moved = true;
    } catch (const Failure&) {
    }
  });
  for (int i = 0; i < 5000 && !deciding; ++i) std::this_thread::sleep_for(2ms);
  ASSERT_TRUE(deciding) << "alpha holds its end, and is being asked to swap";
  kill_keeper_of("alpha");
  EXPECT_FALSE(faults::left_behind(host("alpha")).empty()) << "the control: it is frozen still";
  ASSERT_TRUE(cluster().start_daemon("alpha"));
  EXPECT_EQ(faults::left_behind(host("alpha")), std::vector<std::string>());
  ASSERT_TRUE(host("alpha").set_link({}));
  moving.join();
  EXPECT_FALSE(moved) << "what has forgotten its part doesn't swap";
  for (int i = 0; i < 600 && !nothing_is_left(); ++i) std::this_thread::sleep_for(100ms);
  EXPECT_TRUE(nothing_is_left());
  receive_ramp(kept, half, half);
  send_ramp(kept, half, half);
  finish_writing(kept);
  expect_end(kept);
  EXPECT_EQ(stayer.verdict(2 * half, 2 * half), "");
}

}  // namespace
}  // namespace sockswap::test
