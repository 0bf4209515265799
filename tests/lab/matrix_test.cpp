// One move under every state of the queues, for every way in which a program waits for its socket, either
// family and either side having dialled: the program at the staying end notices nothing, and no byte is lost
// in either direction. The IPv6 half pauses an unprivileged user's program, the IPv4 half one of root's.
#include <linux/sockios.h>
#include <linux/tcp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

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

// What the other end last said that it would take.
std::uint32_t send_window(const Fd& fd) {
  tcp_info info{};
  socklen_t size = sizeof info;
  EXPECT_EQ(::getsockopt(fd.get(), IPPROTO_TCP, TCP_INFO, &info, &size), 0);
  return info.tcpi_snd_wnd;
}

bool stays_unsent(const Fd& fd) {
  for (int looks = 0; looks < 3; ++looks, std::this_thread::sleep_for(std::chrono::milliseconds(20)))
    if (queue_of(fd, SIOCOUTQNSD) == 0) return false;
  return queue_of(fd, SIOCOUTQNSD) != 0;
}

// Calls, queues, IPv6, whether the staying end dialled.
using Case = std::tuple<std::string, Queues, bool, bool>;

class Matrix : public LabTest, public ::testing::WithParamInterface<Case> {
 protected:
  static constexpr std::size_t total = 6'000'000;

  std::optional<lab::User> user() const {
    return std::get<2>(GetParam()) ? std::optional(nobody) : std::nullopt;
  }

  void SetUp() override {
    LabTest::SetUp();
    if (IsSkipped()) return;
    const std::string& calls = std::get<0>(GetParam());
    if (!can_call(calls, user())) GTEST_SKIP() << calls << " is missing";
  }

  // Brings the queues of a connection whose stayer reads and writes as prepare() needs it; what was sent.
  static std::size_t prepare(Queues queues, const Fd& moving) {
    std::size_t sent = 0;
    switch (queues) {
      case Queues::idle: break;
      case Queues::receive_full:  // the stayer writes, nobody reads here
        wait_until_quiet(moving, SIOCINQ);
        break;
      case Queues::send_full:
        sent = fill(moving, 0, total);
        EXPECT_GT(queue_of(moving, SIOCOUTQ), 0);
        break;
      case Queues::not_sent:  // some that stay so (the window grows as what came is acknowledged), and room
                              // for more
        while (!stays_unsent(moving) && sent < total) {
          send_ramp(moving, sent, 50'000);
          sent += 50'000;
        }
        EXPECT_GT(queue_of(moving, SIOCOUTQNSD), 0);
        break;
      case Queues::zero_window:  // neither end takes a byte
        wait_until_quiet(moving, SIOCINQ);
        sent = fill(moving, 0, total);
        EXPECT_EQ(send_window(moving), 0u);
        break;
    }
    return sent;
  }
};

TEST_P(Matrix, NothingIsLostAndNothingIsNoticed) {
  const auto& [calls, queues, v6, stayer_connects] = GetParam();
  auto [stayer, moving] =
      connect("alpha", "beta", stayer_connects, v6, false,
              {.calls = calls,
               .send = total,
               .receive = total,
               .read_late = queues != Queues::idle && queues != Queues::receive_full,
               .write_late = queues != Queues::receive_full && queues != Queues::zero_window,
               .user = user()});
  const std::size_t sent = prepare(queues, moving);
  moving = move(std::move(moving), "beta", "gamma");
  ASSERT_TRUE(stayer.process.write("read\nwrite\n"));
  // Both directions at once, as the stayer does.
  std::thread writer([&, fd = &moving] { send_ramp(*fd, sent, total - sent); });
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

INSTANTIATE_TEST_SUITE_P(
    Moves, Matrix,
    ::testing::Combine(::testing::Values<std::string>("blocking", "timeout", "poll", "select", "spin",
                                                      "epoll-level", "epoll-edge", "io_uring"),
                       ::testing::Values(Queues::idle, Queues::receive_full, Queues::send_full,
                                         Queues::not_sent, Queues::zero_window),
                       ::testing::Bool(), ::testing::Bool()),
    case_name);

}  // namespace
}  // namespace sockswap::test
