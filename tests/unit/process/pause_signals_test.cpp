// Signals and job control around a pause: delivered once, never lost, never invented.
#include <fmt/format.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <thread>

#include "child.h"

namespace sockswap::process {
namespace {

std::atomic<int> handled{0};

void count_signal(int) { handled.fetch_add(1); }

void handle(int signal, int flags) {
  struct sigaction action {};
  action.sa_handler = count_signal;
  action.sa_flags = flags;
  ::sigaction(signal, &action, nullptr);
}

// Says how each epoll_wait() that ends ended, and how often the handler had run by then.
void wait_in_epoll(const World& world) {
  const Fd poller(::epoll_create1(0));
  epoll_event event;
  world.ready();
  for (;;) {
    const int result = ::epoll_wait(poller.get(), &event, 1, -1);
    world.say(fmt::format("{} {} handled {}", result, result < 0 ? errno : 0, handled.load()));
  }
}

void count_up(const World& world) {
  world.ready();
  for (;;) world.progress->fetch_add(1);
}

TEST(PauseSignals, HandledOnceWithTheEintrItDeserves) {
  SKIP_UNLESS_TRACING();
  Child child([](const World& world) {
    handle(SIGUSR1, SA_RESTART);  // epoll_wait() ignores SA_RESTART, signal(7)
    wait_in_epoll(world);
  });
  child.await_blocked();
  for (int i = 1; i <= 50; ++i) {
    auto paused = child.pause();
    ASSERT_TRUE(paused) << paused.error().text();
    ASSERT_EQ(::kill(child.pid(), SIGUSR1), 0);
    std::this_thread::sleep_for(1ms);
    ASSERT_EQ(child.said(), std::vector<std::string>{});
    ASSERT_TRUE(paused->resume());
    ASSERT_EQ(child.next_line(), fmt::format("-1 {} handled {}", EINTR, i));
    await_state(child.pid(), 'S');
    ASSERT_EQ(child.said(), std::vector<std::string>{});
  }
}

TEST(PauseSignals, HandlerThatRestartsLeavesRecvBlocked) {
  SKIP_UNLESS_TRACING();
  Child child([](const World& world) {
    handle(SIGUSR1, SA_RESTART);
    world.ready();
    char byte;
    const ssize_t result = ::recv(world.socket, &byte, 1, 0);
    world.say(fmt::format("{} handled {}", result, handled.load()));
  });
  child.await_blocked();
  {
    auto paused = child.pause();
    ASSERT_TRUE(paused);
    ::kill(child.pid(), SIGUSR1);
  }
  await_state(child.pid(), 'S');
  ASSERT_EQ(::send(child.peer(), "x", 1, 0), 1);
  EXPECT_EQ(child.next_line(), "1 handled 1");
}

TEST(PauseSignals, IgnoredOnesWakeNobody) {
  SKIP_UNLESS_TRACING();
  Child child([](const World& world) {
    ::signal(SIGUSR1, SIG_IGN);
    for (int i = 0; i < 3; ++i)
      std::thread(wait_in_epoll, World{world.socket, world.report, world.progress}).detach();
    wait_in_epoll(world);
  });
  for (int i = 0; i < 4; ++i) child.await_ready();
  for (int i = 0; i < 100; ++i) {
    auto paused = child.pause();
    ASSERT_TRUE(paused);
    for (const int signal : {SIGUSR1, SIGCHLD, SIGWINCH, SIGURG}) ::kill(child.pid(), signal);
    ASSERT_TRUE(paused->resume());
    ASSERT_EQ(child.said(), std::vector<std::string>{});
  }
}

// While a thread is traced, signals that it ignores are queued and reported to the tracer: here they
// hit every moment of stopping and letting go.
TEST(PauseSignals, IgnoredOnesInTheRaceWakeNobody) {
  SKIP_UNLESS_TRACING();
  Child child([](const World& world) {
    for (int i = 0; i < 3; ++i)
      std::thread(wait_in_epoll, World{world.socket, world.report, world.progress}).detach();
    wait_in_epoll(world);
  });
  for (int i = 0; i < 4; ++i) child.await_ready();
  std::atomic<bool> enough{false};
  std::thread sender([&] {
    while (!enough) ::kill(child.pid(), SIGWINCH);
  });
  const auto holders = child.holders();
  for (int i = 0; i < 500; ++i) {
    auto paused = Paused::pause(holders, child.inode(), kPatience);
    EXPECT_TRUE(paused);
  }
  enough = true;
  sender.join();
  EXPECT_EQ(child.said(), std::vector<std::string>{});
}

TEST(PauseSignals, NoneIsLostInTheRace) {
#ifdef __SANITIZE_THREAD__
  GTEST_SKIP() << "ThreadSanitizer holds signals back until it finds them convenient";
#endif
  SKIP_UNLESS_TRACING();
  Child child([](const World& world) {
    struct sigaction action {};
    action.sa_sigaction = [](int, siginfo_t*, void* context) {
      static_cast<void>(context);
      handled.fetch_add(1);
    };
    action.sa_flags = SA_SIGINFO;
    ::sigaction(SIGRTMIN, &action, nullptr);
    world.ready();
    for (;;) world.progress->store(static_cast<std::uint64_t>(handled.load()));
  });
  child.await_ready();
  constexpr int kSignals = 2000;
  std::thread sender([&] {
    for (int sent = 0; sent < kSignals; ++sent) {
      while (::sigqueue(child.pid(), SIGRTMIN, {}) != 0) std::this_thread::yield();
      std::this_thread::sleep_for(20us);
    }
  });
  const auto holders = child.holders();
  for (int i = 0; i < 200; ++i) EXPECT_TRUE(Paused::pause(holders, child.inode(), kPatience));
  sender.join();
  for (int i = 0; i < 5000 && child.progress() < kSignals; ++i) std::this_thread::sleep_for(1ms);
  EXPECT_EQ(child.progress(), static_cast<std::uint64_t>(kSignals));
}

TEST(PauseSignals, StoppedBeforeStaysStopped) {
  SKIP_UNLESS_TRACING();
  Child child(count_up);
  child.await_ready();
  ::kill(child.pid(), SIGSTOP);
  await_state(child.pid(), 'T');
  const std::uint64_t stood_at = child.progress();
  for (int i = 0; i < 20; ++i) {
    auto paused = child.pause();
    ASSERT_TRUE(paused) << paused.error().text();
    ASSERT_TRUE(paused->resume());
    await_state(child.pid(), 'T');
  }
  EXPECT_EQ(child.progress(), stood_at);
  ::kill(child.pid(), SIGCONT);
  child.await_progress();
}

// signal(7): a stop and a continue end epoll_wait() with EINTR, and do so when there was a pause in between.
TEST(PauseSignals, StoppedBeforeSeesItsOwnStop) {
  SKIP_UNLESS_TRACING();
  Child child(wait_in_epoll);
  child.await_blocked();
  ::kill(child.pid(), SIGSTOP);
  await_state(child.pid(), 'T');
  {
    const auto paused = child.pause();
    ASSERT_TRUE(paused) << paused.error().text();
  }
  await_state(child.pid(), 'T');
  EXPECT_TRUE(child.said().empty());
  ::kill(child.pid(), SIGCONT);
  EXPECT_EQ(child.next_line(), fmt::format("-1 {} handled 0", EINTR));
}

TEST(PauseSignals, StopDuringThePauseHoldsAfterIt) {
  SKIP_UNLESS_TRACING();
  Child child([](const World& world) {
    for (int i = 0; i < 5; ++i)
      std::thread(count_up, World{world.socket, world.report, world.progress}).detach();
    count_up(world);
  });
  child.await_ready();
  {
    auto paused = child.pause();
    ASSERT_TRUE(paused);
    ::kill(child.pid(), SIGSTOP);
  }
  await_state(child.pid(), 'T');
  const std::uint64_t stood_at = child.progress();
  std::this_thread::sleep_for(5ms);
  EXPECT_EQ(child.progress(), stood_at);
  ::kill(child.pid(), SIGCONT);
  child.await_progress();
}

TEST(PauseSignals, ContinueDuringThePauseCounts) {
  SKIP_UNLESS_TRACING();
  Child child(count_up);
  child.await_ready();
  ::kill(child.pid(), SIGSTOP);
  await_state(child.pid(), 'T');
  {
    auto paused = child.pause();
    ASSERT_TRUE(paused);
    const std::uint64_t stood_at = child.progress();
    ::kill(child.pid(), SIGCONT);
    std::this_thread::sleep_for(5ms);
    EXPECT_EQ(child.progress(), stood_at) << "SIGCONT must not end the pause";
  }
  child.await_progress();
}

// The program that is paused has a parent other than the tracer.
TEST(PauseSignals, ParentSeesNothing) {
  SKIP_UNLESS_TRACING();
  Child parent([](const World& world) {
    handle(SIGCHLD, 0);  // without SA_NOCLDSTOP: any stop would be told
    const pid_t program = ::fork();
    if (program == 0) {
      ::signal(SIGCHLD, SIG_DFL);
      for (;;) ::pause();
    }
    ::close(world.socket);  // only the program holds it
    world.ready();
    int status = 0;
    const pid_t answer = ::waitpid(program, &status, WUNTRACED | WCONTINUED);
    world.say(fmt::format("{} handled {} killed {}", answer == program ? "ended" : "interrupted",
                          handled.load(), WIFSIGNALED(status) ? WTERMSIG(status) : 0));
  });
  parent.await_blocked();
  const auto holders = parent.holders();
  ASSERT_EQ(holders.size(), 1u);
  ASSERT_NE(holders[0].pid, parent.pid());
  for (int i = 0; i < 200; ++i) {
    auto paused = Paused::pause(holders, parent.inode(), kPatience);
    ASSERT_TRUE(paused) << paused.error().text();
    ASSERT_TRUE(paused->resume());
  }
  await_state(parent.pid(), 'S');
  ASSERT_EQ(parent.said(), std::vector<std::string>{});
  ::kill(holders[0].pid, SIGKILL);
  EXPECT_EQ(parent.next_line(), fmt::format("ended handled 1 killed {}", SIGKILL));
}

// Its end reaches the parent even if it comes during the pause.
TEST(PauseSignals, KilledDuringThePause) {
  SKIP_UNLESS_TRACING();
  Child child([](const World& world) {
    for (int i = 0; i < 5; ++i)
      std::thread(count_up, World{world.socket, world.report, world.progress}).detach();
    count_up(world);
  });
  child.await_ready();
  auto paused = child.pause();
  ASSERT_TRUE(paused);
  EXPECT_FALSE(paused->empty());
  ::kill(child.pid(), SIGKILL);
  for (int i = 0; i < 5000 && !paused->empty(); ++i) std::this_thread::sleep_for(1ms);
  EXPECT_TRUE(paused->empty());
  EXPECT_TRUE(paused->resume());
  const int status = child.await_exit();
  EXPECT_TRUE(WIFSIGNALED(status));
}

}  // namespace
}  // namespace sockswap::process
