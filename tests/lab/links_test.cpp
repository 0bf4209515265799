// Moves with bytes in flight over a link that delays, loses and reorders, and between hosts that a router
// joins.
#include <linux/sockios.h>
#include <sys/ioctl.h>

#include <thread>

#include "lab/fixture.h"

namespace sockswap::test {
namespace {

constexpr std::size_t step = 300'000, burst = 50'000;

// Both directions at once, as the stayer does.
void exchange(const Fd& fd, std::size_t from, std::size_t receive, std::size_t send) {
  std::thread writer([&] { send_ramp(fd, from, send); });
  receive_ramp(fd, from, receive);
  writer.join();
}

class BadLink : public LabTest, public ::testing::WithParamInterface<bool> {};

TEST_P(BadLink, MovesInMidStreamLoseNothing) {
  const char* stops[] = {"beta", "gamma", "beta", "gamma"};
  constexpr std::size_t total = step * std::size(stops);
  auto [stayer, moving] = connect("alpha", "beta", true, GetParam(), false,
                                  {.calls = "epoll-edge", .send = total, .receive = total});
  ASSERT_TRUE(host("alpha").set_link(
      {.delay = std::chrono::milliseconds(20), .loss = 0.01, .duplicate = 0.01, .reorder = 0.05}));
  for (std::size_t i = 0; i < std::size(stops); ++i) {
    if (i > 0) moving = move(std::move(moving), stops[i - 1], stops[i]);
    // A round trip takes 40 ms: what is written last is on its way when the end moves, and so is what the
    // stayer writes all the time.
    exchange(moving, i * step, step, step - burst);
    send_ramp(moving, (i + 1) * step - burst, burst);
    EXPECT_GT(queue_of(moving, SIOCOUTQ) - queue_of(moving, SIOCOUTQNSD), 0);
  }
  finish_writing(moving);
  expect_end(moving);
  EXPECT_EQ(stayer.verdict(total, total), "");
  const auto passed = host("alpha").wire_counters();
  ASSERT_TRUE(passed);
  for (const lab::WireStatistics& way : {passed->in, passed->out}) {
    EXPECT_GT(way.lost, 0u);
    EXPECT_GT(way.overtaken, 0u);
  }
  ASSERT_TRUE(host("alpha").set_link({}));
}

INSTANTIATE_TEST_SUITE_P(Lab, BadLink, ::testing::Bool(),
                         [](const auto& test) { return std::string(test.param ? "v6" : "v4"); });

class Routed : public LabTest, public ::testing::WithParamInterface<bool> {
 protected:
  static void SetUpTestSuite() { use(lab::Topology::routed); }
};

TEST_P(Routed, AMoveBetweenSubnets) {
  auto [stayer, moving] =
      connect("alpha", "beta", false, GetParam(), false, {.send = 2 * step, .receive = 2 * step});
  exchange(moving, 0, step, step);
  moving = move(std::move(moving), "beta", "gamma");
  exchange(moving, step, step, step);
  finish_writing(moving);
  expect_end(moving);
  EXPECT_EQ(stayer.verdict(2 * step, 2 * step), "");
}

INSTANTIATE_TEST_SUITE_P(Lab, Routed, ::testing::Bool(),
                         [](const auto& test) { return std::string(test.param ? "v6" : "v4"); });

}  // namespace
}  // namespace sockswap::test
