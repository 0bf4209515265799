// What ptrace(2) and the kernel's restart codes promise to src/process, with nothing of ours between.
#include <gtest/gtest.h>
#include <linux/capability.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstddef>
#include <fstream>
#include <functional>
#include <string>
#include <thread>

#include "check/lacking.h"

namespace {

using namespace std::chrono_literals;

#define SKIP_UNLESS_TRACING() \
  if (!sockswap::check::has_capability(CAP_SYS_PTRACE)) GTEST_SKIP() << "ptrace-pause: needs CAP_SYS_PTRACE"

constexpr long kRestartNoHandler = 514;  // ERESTARTNOHAND

char state_of(pid_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
  std::string text;
  std::getline(file, text);
  const std::size_t at = text.rfind(')');
  return at == std::string::npos ? '\0' : text[at + 2];
}

bool reaches(pid_t pid, char state) {
  for (int i = 0; i < 5000 && state_of(pid) != state; ++i) std::this_thread::sleep_for(1ms);
  return state_of(pid) == state;
}

class Program {
 public:
  explicit Program(const std::function<int()>& run) : pid_(::fork()) {
    if (pid_ != 0) return;
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    ::_exit(run());
  }
  ~Program() {
    if (pid_ > 0) ::kill(pid_, SIGKILL), ::waitpid(pid_, nullptr, __WALL);
  }
  pid_t pid() const { return pid_; }
  int exit_status() {
    int status = -1;
    ::waitpid(pid_, &status, 0);
    pid_ = 0;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }

 private:
  pid_t pid_;
};

siginfo_t await_stop(pid_t pid, int flags = 0) {
  siginfo_t news{};
  EXPECT_EQ(::waitid(P_PID, static_cast<id_t>(pid), &news, WSTOPPED | __WALL | flags), 0);
  return news;
}

void seize_and_stop(pid_t pid) {
  ASSERT_EQ(::ptrace(PTRACE_SEIZE, pid, nullptr, nullptr), 0);
  ASSERT_EQ(::ptrace(PTRACE_INTERRUPT, pid, nullptr, nullptr), 0);
  EXPECT_EQ(await_stop(pid).si_status, SIGTRAP | PTRACE_EVENT_STOP << 8);
}

volatile sig_atomic_t handler_ran = 0;

// 0: no event within the timeout; 4: EINTR; +10 if the handler ran.
int wait_in_epoll() {
  struct sigaction action {};
  action.sa_handler = [](int) { handler_ran = 1; };
  ::sigaction(SIGUSR1, &action, nullptr);
  epoll_event event;
  const int result = ::epoll_wait(::epoll_create1(0), &event, 1, 300);
  return (result < 0 ? errno : result) + 10 * handler_ran;
}

#ifdef __x86_64__

enum class Restart { left_alone, if_no_handler };
enum class Signal { none, handled, ignored };

int epoll_wait_stopped(Restart restart, Signal signal) {
  Program program(wait_in_epoll);
  EXPECT_TRUE(reaches(program.pid(), 'S'));
  seize_and_stop(program.pid());
  const long rax = ::ptrace(PTRACE_PEEKUSER, program.pid(), offsetof(user_regs_struct, rax), nullptr);
  EXPECT_EQ(rax, -EINTR);
  if (restart == Restart::if_no_handler)
    ::ptrace(PTRACE_POKEUSER, program.pid(), offsetof(user_regs_struct, rax), -kRestartNoHandler);
  // After the registers were written: the kernel still decides by what is due when the thread goes on.
  if (signal == Signal::handled) ::kill(program.pid(), SIGUSR1);
  if (signal == Signal::ignored) ::kill(program.pid(), SIGWINCH);
  EXPECT_EQ(::ptrace(PTRACE_DETACH, program.pid(), nullptr, nullptr), 0);
  return program.exit_status();
}

TEST(RestartCode, EpollWaitEndsWithEintrAtAnyStop) {
  SKIP_UNLESS_TRACING();
  EXPECT_EQ(epoll_wait_stopped(Restart::left_alone, Signal::none), EINTR);
}

TEST(RestartCode, MayBeWrittenByATracer) {
  SKIP_UNLESS_TRACING();
  EXPECT_EQ(epoll_wait_stopped(Restart::if_no_handler, Signal::none), 0);
  EXPECT_EQ(epoll_wait_stopped(Restart::if_no_handler, Signal::ignored), 0);
}

TEST(RestartCode, GivesWayToAHandler) {
  SKIP_UNLESS_TRACING();
  EXPECT_EQ(epoll_wait_stopped(Restart::if_no_handler, Signal::handled), 10 + EINTR);
}

#endif

int wait_for_vfork_child() {
  if (::vfork() == 0) {
    ::usleep(400'000);
    ::_exit(0);
  }
  return 0;
}

// PTRACE_DETACH wants a stopped thread; the tracer's end doesn't.
TEST(TracerThread, ItsEndFreesWhatNeverStopped) {
  SKIP_UNLESS_TRACING();
#ifdef __SANITIZE_THREAD__
  GTEST_SKIP() << "vfork: the thread sanitizer makes it a fork";
#endif
  Program program(wait_for_vfork_child);
  ASSERT_TRUE(reaches(program.pid(), 'D'));
  std::thread([&] {
    EXPECT_EQ(::ptrace(PTRACE_SEIZE, program.pid(), nullptr, nullptr), 0);
    EXPECT_EQ(::ptrace(PTRACE_INTERRUPT, program.pid(), nullptr, nullptr), 0);
    EXPECT_EQ(::ptrace(PTRACE_DETACH, program.pid(), nullptr, nullptr), -1);
    EXPECT_EQ(errno, ESRCH);
  }).join();
  EXPECT_EQ(program.exit_status(), 0);
}

// In a signal-delivery stop the signal is lost with its tracer if the stop was taken by a wait, and
// kept if it was only looked at.
TEST(TracerThread, ItsEndKeepsASignalThatWasOnlyLookedAt) {
  SKIP_UNLESS_TRACING();
  for (const int flags : {WNOWAIT, 0}) {
    Program program(wait_in_epoll);
    ASSERT_TRUE(reaches(program.pid(), 'S'));
    std::thread([&] {
      ASSERT_EQ(::ptrace(PTRACE_SEIZE, program.pid(), nullptr, nullptr), 0);
      ::kill(program.pid(), SIGUSR1);
      EXPECT_EQ(await_stop(program.pid(), flags).si_status, SIGUSR1);
    }).join();
    EXPECT_EQ(program.exit_status(), flags == WNOWAIT ? 10 + EINTR : EINTR);
  }
}

TEST(GroupStop, IsReportedAsSuchAndOutlivesTheTracer) {
  SKIP_UNLESS_TRACING();
  Program program([] {
    for (;;) ::pause();
    return 0;
  });
  ::kill(program.pid(), SIGSTOP);
  ASSERT_TRUE(reaches(program.pid(), 'T'));
  ASSERT_EQ(::ptrace(PTRACE_SEIZE, program.pid(), nullptr, nullptr), 0);
  EXPECT_EQ(await_stop(program.pid()).si_status, SIGSTOP | PTRACE_EVENT_STOP << 8);
  ASSERT_EQ(::ptrace(PTRACE_DETACH, program.pid(), nullptr, nullptr), 0);
  EXPECT_TRUE(reaches(program.pid(), 'T'));
}

}  // namespace
