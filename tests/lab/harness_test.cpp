// The harness itself: the stayer sees what the other tests rely on it to see.
#include <gmock/gmock.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include <csignal>
#include <fstream>
#include <thread>

#include "lab/fixture.h"
#include "support/ramp.h"

namespace sockswap::test {
namespace {

using ::testing::HasSubstr;

class Harness : public LabTest {
 protected:
  static constexpr std::size_t total = 300'000;

  static std::string file_of(pid_t pid, const std::string& name) {
    std::ifstream file("/proc/" + std::to_string(pid) + "/" + name);
    std::string text;
    std::getline(file, text);
    return text;
  }
  template <class Condition>
  static void wait_until(Condition holds) {
    for (int i = 0; i < 2000 && !holds(); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(5));
    ASSERT_TRUE(holds());
  }
  static bool is_in_epoll_wait(pid_t pid) {
    const std::string call = file_of(pid, "syscall");
    const std::string number = call.substr(0, call.find(' '));
#ifdef SYS_epoll_wait
    if (number == std::to_string(SYS_epoll_wait)) return true;
#endif
    return number == std::to_string(SYS_epoll_pwait);
  }
  static bool is_stopped(pid_t pid) { return file_of(pid, "stat").find(") T ") != std::string::npos; }
};

TEST_F(Harness, OneWrongByteIsSeen) {
  auto [stayer, moving] = connect("alpha", "beta", true, false, false, {.receive = total});
  constexpr std::size_t wrong = total / 2;
  send_ramp(moving, 0, wrong);
  const std::byte byte = ramp_at(wrong + 1);
  ASSERT_EQ(::send(moving.get(), &byte, 1, MSG_NOSIGNAL), 1);
  const std::string verdict = stayer.verdict(0, total);
  EXPECT_THAT(verdict, HasSubstr("exit status 3"));
  EXPECT_THAT(verdict, HasSubstr("byte 150000 is wrong"));
}

TEST_F(Harness, AMissingEndIsSeen) {
  auto [stayer, moving] = connect("alpha", "beta", true, false, false, {.receive = total});
  send_ramp(moving, 0, total - 1);
  finish_writing(moving);
  expect_end(moving);
  EXPECT_THAT(stayer.verdict(0, total), HasSubstr("exit status 4"));
}

// A pause without the tracer's cure: what a move must not look like.
TEST_F(Harness, AStopBySignalIsSeen) {
  auto [stayer, moving] = connect("alpha", "beta", true, false, false,
                                  {.calls = "epoll-level", .receive = total, .write_late = true});
  const pid_t pid = stayer.process.pid();
  wait_until([&] { return is_in_epoll_wait(pid); });
  ASSERT_TRUE(stayer.process.kill(SIGSTOP));
  wait_until([&] { return is_stopped(pid); });
  ASSERT_TRUE(stayer.process.kill(SIGCONT));
  EXPECT_THAT(stayer.verdict(0, total), HasSubstr("epoll_wait: Interrupted system call"));
}

// The same program in the same call, paused as a move does it.
TEST_F(Harness, AMoveIsNot) {
  auto [stayer, moving] = connect("alpha", "beta", true, false, false,
                                  {.calls = "epoll-level", .receive = total, .write_late = true});
  wait_until([&, pid = stayer.process.pid()] { return is_in_epoll_wait(pid); });
  moving = move(std::move(moving), "beta", "gamma");
  ASSERT_TRUE(stayer.process.write("write\n"));
  send_ramp(moving, 0, total);
  finish_writing(moving);
  expect_end(moving);
  EXPECT_EQ(stayer.verdict(0, total), "");
}

}  // namespace
}  // namespace sockswap::test
