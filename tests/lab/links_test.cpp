// Moves with bytes in flight over a link that delays, loses and reorders, and between hosts that a router
// joins.
#include <linux/sockios.h>
#include <sys/ioctl.h>

#include <future>
#include <map>

#include "lab/fixture.h"

namespace sockswap::test {
namespace {

constexpr std::size_t step = 300'000, burst = 50'000;

// Both directions at once, as the stayer does.
void exchange(const Fd& fd, std::size_t from, std::size_t receive, std::size_t send) {
  auto writer = std::async(std::launch::async, [&] { send_ramp(fd, from, send); });
  receive_ramp(fd, from, receive);  // should that throw, the writer is waited for
  writer.get();
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

// What was written before the move goes by the connection, as long as it comes on, and not by the daemons: it
// would have to pass the slow link all the same, with nobody reading meanwhile.
TEST_F(LabTest, WhatWasWrittenGoesAheadOfTheEnd) {
  constexpr std::size_t before = 800'000, total = 1'000'000, much = 400'000, little = 100'000;
  auto [stayer, moving] = connect("alpha", "beta", true, false, false, {.send = 0, .receive = total});
  ASSERT_TRUE(host("alpha").set_link({.rate = 50'000'000}));
  send_ramp(moving, 0, before);
  EXPECT_GT(queue_of(moving, SIOCOUTQ), static_cast<int>(much));
  moving = move(std::move(moving), "beta", "gamma");
  EXPECT_LT(queue_of(moving, SIOCOUTQ), static_cast<int>(little));
  send_ramp(moving, before, total - before);
  finish_writing(moving);
  expect_end(moving);
  EXPECT_EQ(stayer.verdict(0, total), "");
  ASSERT_TRUE(host("alpha").set_link({}));
}

// The timers of a frozen end run on: its tail loss probe comes after two round trips. What it sends may meet
// a host that has released its end already; the RST of that host meets a frozen end, which is deaf, or none.
enum class Freezes { shorter_than_timers, longer };

// One fault at a time, and all of them, on every host's link: ends and daemons suffer alike.
struct Fault {
  const char* name;
  lab::LinkQuality quality;
  Freezes freezes;
};

void PrintTo(const Fault& fault, std::ostream* out) { *out << fault.name; }

class Faulty : public LabTest, public ::testing::WithParamInterface<Fault> {
 protected:
  static constexpr const char* hosts[] = {"alpha", "beta", "gamma"};

  static void set_links(const lab::LinkQuality& quality) {
    for (const char* on : hosts) ASSERT_TRUE(host(on).set_link(quality));
  }
  // Of all links, both ways.
  static lab::WireStatistics passed() {
    lab::WireStatistics sum;
    for (const char* on : hosts)
      if (const auto counters = host(on).wire_counters())
        for (const lab::WireStatistics& way : {counters->in, counters->out}) {
          sum.lost += way.lost;
          sum.duplicated += way.duplicated;
          sum.overtaken += way.overtaken;
        }
    return sum;
  }
  // On such links the queues may take longer than ends may be frozen: the move is undone then, and asked for
  // again.
  static Fd move_in_time(Fd moving, const std::string& from, const std::string& to) {
    for (int attempt = 0;; ++attempt) {
      Fd here = moving.duplicate();
      try {
        return move(std::move(here), from, to);
      } catch (const Failure& failed) {
        if (failed.code() != SOCKSWAP_TIMED_OUT || attempt == 5) throw;
      }
    }
  }
  void TearDown() override { set_links({}); }
};

TEST_P(Faulty, LinksCostMovesNoByteAndNoReset) {
  const Fault& fault = GetParam();
  const char* stops[] = {"beta", "gamma", "beta", "gamma"};
  constexpr std::size_t part = 60'000, total = part * std::size(stops);
  auto [stayer, moving] =
      connect("alpha", "beta", true, false, false, {.calls = "epoll-edge", .send = total, .receive = total});
  std::map<std::string, lab::PacketCounter> resets;
  for (const char* on : hosts) {
    auto counter = host(on).count({.flag = lab::TcpFlag::rst, .direction = lab::Direction::out});
    ASSERT_TRUE(counter);
    resets.emplace(on, *std::move(counter));
  }
  const auto sent = [&](const std::string& on) { return resets.at(on).packets().value(); };
  set_links(fault.quality);
  for (std::size_t i = 0; i < std::size(stops); ++i) {
    const std::uint64_t before = sent(stops[i]);
    if (i > 0) moving = move_in_time(std::move(moving), stops[i - 1], stops[i]);
    exchange(moving, i * part, part, part);
    EXPECT_EQ(sent(stops[i]), before) << "the host at which the end has arrived";
  }
  if (fault.freezes == Freezes::shorter_than_timers) {
    for (const char* on : hosts) EXPECT_EQ(sent(on), 0u) << on;
  }
  finish_writing(moving);
  expect_end(moving);
  EXPECT_EQ(stayer.verdict(total, total), "");
  const lab::WireStatistics seen = passed();
  EXPECT_EQ(seen.lost > 0, fault.quality.loss > 0);
  EXPECT_EQ(seen.duplicated > 0, fault.quality.duplicate > 0);
  EXPECT_EQ(seen.overtaken > 0, fault.quality.reorder > 0);
}

// What is held back arrives within a round trip, as on real networks: later than the move itself it would
// meet a host that has no such socket any more.
constexpr std::chrono::milliseconds some_delay{5}, much_delay{100};

INSTANTIATE_TEST_SUITE_P(
    Lab, Faulty,
    ::testing::Values(Fault{"loss_1_percent", {.loss = 0.01}, Freezes::longer},
                      Fault{"loss_5_percent", {.loss = 0.05}, Freezes::longer},
                      Fault{"reordering", {.delay = some_delay, .reorder = 0.1}, Freezes::longer},
                      Fault{"duplication", {.duplicate = 0.1}, Freezes::shorter_than_timers},
                      Fault{"delay_100_ms", {.delay = much_delay}, Freezes::longer},
                      Fault{"all",
                            {.delay = much_delay,
                             .jitter = std::chrono::milliseconds(10),
                             .loss = 0.01,
                             .duplicate = 0.05,
                             .reorder = 0.05},
                            Freezes::longer}),
    [](const auto& test) { return std::string(test.param.name); });

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
