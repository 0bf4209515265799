// One move under every state of the queues, for every way in which a program waits for its socket: the
// program at the staying end notices nothing, and no byte is lost in either direction.
#include <linux/sockios.h>
#include <sys/ioctl.h>

#include <algorithm>
#include <thread>
#include <tuple>

#include "lab/fixture.h"

namespace sockswap::test {
namespace {

enum class Queues { idle, receive_full, send_full, not_sent, zero_window };

const char* name(Queues queues) {
  switch (queues) {
    case Queues::idle: return "idle";
    case Queues::receive_full: return "receive_queue_full";
    case Queues::send_full: return "send_queue_full";
    case Queues::not_sent: return "not_sent_bytes";
    case Queues::zero_window: return "zero_window";
  }
  return "";
}

void PrintTo(Queues queues, std::ostream* out) { *out << name(queues); }

// Calls, queues, IPv6, whether the staying end dialled.
using Case = std::tuple<std::string, Queues, bool, bool>;

class Matrix : public LabTest, public ::testing::WithParamInterface<Case> {
 protected:
  static constexpr std::size_t total = 6'000'000;
};

TEST_P(Matrix, NothingIsLostAndNothingIsNoticed) {
  const auto& [calls, queues, v6, stayer_connects] = GetParam();
  const bool stayer_reads_late = queues == Queues::send_full || queues == Queues::not_sent;
  auto [stayer, moving] =
      connect("alpha", "beta", stayer_connects, v6, false,
              {.calls = calls,
               .send = total,
               .receive = total,
               .read_late = stayer_reads_late,
               .write_late = queues != Queues::receive_full && queues != Queues::zero_window});
  std::size_t sent = 0;
  switch (queues) {
    case Queues::idle: break;
    case Queues::receive_full:  // the stayer writes and nobody reads here
      wait_for_queue(moving, SIOCINQ, 100'000);
      break;
    case Queues::send_full: sent = fill(moving, 0, 100'000); break;
    case Queues::not_sent:
      sent = fill(moving, 0, total);
      wait_for_queue(moving, SIOCOUTQNSD, 1);
      break;
    case Queues::zero_window:  // the stayer writes until this end's window is closed
      wait_until_quiet(moving, SIOCINQ);
      break;
  }
  moving = move(std::move(moving), "beta", "gamma");
  ASSERT_TRUE(stayer.process.write("read\nwrite\n"));
  // Both directions at once, as the stayer does.
  std::thread writer([&, sent = sent] { send_ramp(moving, sent, total - sent); });
  receive_ramp(moving, 0, total);
  writer.join();
  finish_writing(moving);
  expect_end(moving);
  EXPECT_EQ(stayer.verdict(total, total), "");
}

std::string case_name(const ::testing::TestParamInfo<Case>& test) {
  const auto& [calls, queues, v6, stayer_connects] = test.param;
  std::string out = calls + "_" + name(queues) + (v6 ? "_v6" : "_v4") +
                    (stayer_connects ? "_stayer_dialled" : "_stayer_accepted");
  std::ranges::replace(out, '-', '_');
  return out;
}

constexpr Queues every_queue[] = {Queues::idle, Queues::receive_full, Queues::send_full, Queues::not_sent,
                                  Queues::zero_window};

// Every way of waiting with every state of the queues…
INSTANTIATE_TEST_SUITE_P(Calls, Matrix,
                         ::testing::Combine(::testing::Values<std::string>("blocking", "timeout", "poll",
                                                                           "select", "epoll-level",
                                                                           "epoll-edge", "io_uring"),
                                            ::testing::ValuesIn(every_queue), ::testing::Values(false),
                                            ::testing::Values(true)),
                         case_name);
// … and every state with either family and either side having dialled.
INSTANTIATE_TEST_SUITE_P(Families, Matrix,
                         ::testing::Combine(::testing::Values<std::string>("epoll-level"),
                                            ::testing::ValuesIn(every_queue), ::testing::Bool(),
                                            ::testing::Bool()),
                         case_name);

}  // namespace
}  // namespace sockswap::test
