// A pause that can't be reached, and not even be given up by its own thread.
#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <thread>

#include "child.h"
#include "process/proc.h"

namespace sockswap::process {
namespace {

// A process that traces one thread of another and never waits for it. Ends after the patience at the
// latest, so that a test that would hang fails instead.
class CarelessDebugger {
 public:
  explicit CarelessDebugger(pid_t tid) {
    int ends[2];
    EXPECT_EQ(::pipe(ends), 0);
    pid_ = ::fork();
    if (pid_ == 0) {
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      const char well = ::ptrace(PTRACE_SEIZE, tid, nullptr, nullptr) == 0 ? 'y' : 'n';
      if (::write(ends[1], &well, 1) != 1) ::_exit(1);
      ::sleep(kPatience / 1s);
      ::_exit(0);
    }
    char well = 'n';
    EXPECT_EQ(::read(ends[0], &well, 1), 1);
    EXPECT_EQ(well, 'y');
    ::close(ends[0]);
    ::close(ends[1]);
  }
  ~CarelessDebugger() {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  bool still_there() const {
    siginfo_t news{};
    ::waitid(P_PID, static_cast<id_t>(pid_), &news, WEXITED | WNOHANG | WNOWAIT);
    return news.si_pid == 0;
  }

 private:
  pid_t pid_ = 0;
};

// Counts; its child has a second thread, and calls exec when a byte has come.
void fork_a_program_to_exec(const World& world) {
  if (::fork() == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    std::thread([world] {
      world.say(fmt::format("{} {}", ::getpid(), ::gettid()));
      for (;;) ::pause();
    }).detach();
    char byte;
    if (::recv(world.socket, &byte, 1, 0) == 1)
      ::execl("/bin/sleep", "sleep", "1000", static_cast<char*>(nullptr));
    ::_exit(1);
  }
  world.ready();
  for (;;) world.progress->fetch_add(1);
}

std::size_t threads_of_ours() {
  const Fd tasks = open_folder(AT_FDCWD, "/proc/self/task").value();
  return read_numbers(tasks.get()).value().size();
}

// The exec waits for the traced thread to be gone, which it never is, and PTRACE_SEIZE waits for the exec.
TEST(PauseDeadline, HoldsForAnExecThatNeverEnds) {
  SKIP_UNLESS_TRACING();
#ifdef __SANITIZE_THREAD__
  GTEST_SKIP() << "handlers: the thread sanitizer doesn't run them in the midst of a system call";
#endif
  Child child(fork_a_program_to_exec);
  pid_t program = 0, thread = 0;
  for (int line = 0; line < 2; ++line) {
    const std::string said = child.next_line();
    if (said == "ready") continue;
    ASSERT_EQ(std::sscanf(said.c_str(), "%d %d", &program, &thread), 2) << said;
  }
  {
    const CarelessDebugger debugger(thread);
    ASSERT_EQ(::send(child.peer(), "x", 1, 0), 1);
    await_state(program, 'D');
    const auto holders = child.holders();
    ASSERT_EQ(holders.size(), 2u);
    ASSERT_EQ(holders[0].pid, child.pid()) << "to be stopped before the other can't be";

    const auto pausable = check_pausable(holders);
    ASSERT_FALSE(pausable);
    EXPECT_EQ(pausable.error().code, ErrorCode::busy) << pausable.error().text();

    const std::size_t threads = threads_of_ours();
    for (int i = 0; i < 3; ++i) {
      const auto paused = Paused::pause(holders, child.inode(), 50ms);
      ASSERT_FALSE(paused);
      EXPECT_EQ(paused.error().code, ErrorCode::timed_out) << paused.error().text();
      ASSERT_TRUE(debugger.still_there()) << "the pause came to its end only with the debugger";
      EXPECT_EQ(tracer_of(child.pid()), 0);
      EXPECT_EQ(tracer_of(program), 0);
      child.await_progress();
    }
    EXPECT_EQ(threads_of_ours(), threads);
  }
  // It was no harm to either: the exec goes on, and both can be paused.
  await_state(program, 'S');
  const auto paused = child.pause();
  ASSERT_TRUE(paused) << paused.error().text();
  EXPECT_EQ(state_of(program), 't');
}

TEST(PauseDeadline, AThreadThatIsTracedAloneIsFoundBeforehand) {
  SKIP_UNLESS_TRACING();
  Child child([](const World& world) {
    std::thread([world] {
      world.say(fmt::format("{}", ::gettid()));
      for (;;) ::pause();
    }).detach();
    for (;;) ::pause();
  });
  const pid_t thread = std::stoi(child.next_line());
  const CarelessDebugger debugger(thread);
  EXPECT_EQ(tracer_of(child.pid()), 0);
  const auto pausable = check_pausable(child.holders());
  ASSERT_FALSE(pausable);
  EXPECT_EQ(pausable.error().code, ErrorCode::busy) << pausable.error().text();
}

}  // namespace
}  // namespace sockswap::process
