// Programs that change shape while they are being paused.
#include <fmt/format.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <thread>

#include "child.h"
#include "process/proc.h"

namespace sockswap::process {
namespace {

// Every thread of every process that holds the socket stands still.
void expect_all_stopped(std::uint32_t inode) {
  const auto holders = find_holders(inode, ::getpid());
  ASSERT_TRUE(holders);
  for (const Holder& holder : *holders) {
    const Fd folder = open_process(holder.pid).value();
    const Fd tasks = folder ? open_folder(folder.get(), "task").value() : Fd{};
    if (!tasks) continue;
    const auto tids = read_numbers(tasks.get()).value();
    for (const pid_t tid : tids) {
      const char state = state_of(tid);
      EXPECT_TRUE(state == 't' || state == 'Z' || state == 'X' || state == '\0')
          << "thread " << tid << " of " << holder.pid << " is in state " << state;
    }
  }
}

void pause_often(Child& child, int times) {
  for (int i = 0; i < times; ++i) {
    auto paused = child.pause();
    ASSERT_TRUE(paused) << paused.error().text();
    const std::uint64_t at = child.progress();
    if (i % 10 == 0) expect_all_stopped(child.inode());
    EXPECT_EQ(child.progress(), at);
    ASSERT_TRUE(paused->resume());
    ASSERT_EQ(child.said(), std::vector<std::string>{});
  }
  child.await_progress();
}

TEST(PauseRaces, AHundredThreads) {
  SKIP_UNLESS_TRACING();
  Child child([](const World& world) {
    for (int i = 0; i < 99; ++i)
      std::thread([world, i] {
        for (;;) {
          if (i % 10 == 0) world.progress->fetch_add(1);
          if (::usleep(5000) != 0) world.say("usleep: " + std::to_string(errno));
        }
      }).detach();
    world.ready();
    for (;;) ::pause();
  });
  child.await_blocked();
  pause_often(child, 200);
}

TEST(PauseRaces, ThreadsThatComeAndGo) {
  SKIP_UNLESS_TRACING();
  Child child([](const World& world) {
    world.ready();
    for (;;) {
      std::thread one([&] { world.progress->fetch_add(1); });
      std::thread two([] { ::usleep(50); });
      one.join();
      two.join();
    }
  });
  child.await_ready();
  pause_often(child, 200);
}

TEST(PauseRaces, ForkingLoop) {
  SKIP_UNLESS_TRACING();
  Child child([](const World& world) {
    world.ready();
    for (;;) {
      const pid_t pid = ::fork();
      if (pid < 0) world.say(fmt::format("fork: {}", errno));
      if (pid == 0) {
        world.progress->fetch_add(1);
        ::_exit(7);
      }
      int status = 0;
      if (::waitpid(pid, &status, WUNTRACED) != pid) world.say(fmt::format("waitpid: {}", errno));
      if (!WIFEXITED(status) || WEXITSTATUS(status) != 7) world.say(fmt::format("status {:x}", status));
    }
  });
  child.await_ready();
  pause_often(child, 200);
}

// Each generation forks the next and ends: no ancestor is left to follow.
TEST(PauseRaces, ChainOfOrphans) {
  SKIP_UNLESS_TRACING();
  Child child([](const World& world) {
    ::prctl(PR_SET_CHILD_SUBREAPER, 1);
    world.ready();
    if (::fork() == 0) {
      for (int generation = 0; generation < 100'000; ++generation) {
        world.progress->fetch_add(1);
        const pid_t pid = ::fork();
        if (pid < 0) world.say(fmt::format("fork: {}", errno));
        if (pid > 0) ::_exit(0);
        if (::getppid() == 1) ::_exit(0);  // the test is over
      }
      ::_exit(0);
    }
    for (;;) ::wait(nullptr);
  });
  child.await_ready();
  pause_often(child, 200);
}

TEST(PauseRaces, VforkAndExec) {
  SKIP_UNLESS_TRACING();
  Child child([](const World& world) {
    world.ready();
    for (;;) {
      const pid_t pid = ::vfork();
      if (pid == 0) {
        ::execl("/bin/true", "true", static_cast<char*>(nullptr));
        ::_exit(1);
      }
      world.progress->fetch_add(1);
      int status = -1;
      if (::waitpid(pid, &status, WUNTRACED) != pid || status != 0)
        world.say(fmt::format("status {:x}", status));
    }
  });
  child.await_ready();
  for (int i = 0, done = 0; done < 100 && i < 1000; ++i) {
    auto paused = child.pause(100ms);
    if (paused)
      ++done;
    else
      ASSERT_EQ(paused.error().code, ErrorCode::timed_out) << paused.error().text();
    if (paused) expect_all_stopped(child.inode());
    ASSERT_EQ(child.said(), std::vector<std::string>{});
  }
  child.await_progress();
}

// A program on its way to `exit 7`.
void pause_until_it_exits(Child& child) {
  child.await_ready();
  for (int p = 0; p < 5; ++p) {
    auto paused = child.pause();
    ASSERT_TRUE(paused) << paused.error().text();
    expect_all_stopped(child.inode());
  }
  const int status = child.await_exit();
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 7) << std::hex << status;
}

// exec by a thread that isn't the first: the others end, and it takes over the first one's number.
TEST(PauseRaces, ExecWithManyThreads) {
  SKIP_UNLESS_TRACING();
  for (int i = 0; i < 60; ++i) {
    Child child([i](const World& world) {
      for (int t = 0; t < 4; ++t)
        std::thread([] {
          for (;;) ::pause();
        }).detach();
      world.ready();
      ::usleep(static_cast<useconds_t>(i * 20));
      const auto exec = [] {
        ::execl("/bin/sh", "sh", "-c", "exit 7", static_cast<char*>(nullptr));
        ::_exit(1);
      };
      if (i % 2 == 0) exec();
      std::thread(exec).join();
    });
    pause_until_it_exits(child);
  }
}

// The kernel copies 6 MB of arguments before it takes the mutex that a tracer needs (cred_guard_mutex). So
// the caller is seized in the midst of its exec, the first thread stops, and is killed there by the exec.
TEST(PauseRaces, ExecKillsTheStoppedFirstThread) {
  SKIP_UNLESS_TRACING();
  for (int i = 0; i < 40; ++i) {
    Child child([i](const World& world) {
      const rlimit stack{.rlim_cur = RLIM_INFINITY, .rlim_max = RLIM_INFINITY};
      ::setrlimit(RLIMIT_STACK, &stack);  // without it a quarter of 8 MB
      const std::string argument(100'000, 'a');
      const std::string script = "exit 7";
      std::vector<const char*> arguments{"sh", "-c", script.c_str()};
      arguments.resize(60, argument.c_str());
      arguments.push_back(nullptr);
      std::thread([&] {
        world.ready();
        ::usleep(static_cast<useconds_t>(i * 100));
        ::execv("/bin/sh", const_cast<char* const*>(arguments.data()));
        ::_exit(1);
      }).join();
    });
    pause_until_it_exits(child);
  }
}

TEST(PauseRaces, FirstThreadHasEnded) {
  SKIP_UNLESS_TRACING();
  Child child([](const World& world) {
    const pid_t first = ::gettid();
    std::thread([world, first] {
      while (state_of(first) != 'Z') ::usleep(100);
      world.ready();
      for (;;) world.progress->fetch_add(1);
    }).detach();
    ::syscall(SYS_exit, 0);
  });
  child.await_ready();
  ASSERT_EQ(state_of(child.pid()), 'Z');
  const auto holders = child.holders();
  ASSERT_EQ(holders.size(), 1u);
  pause_often(child, 50);
  const auto copy = take_descriptor(holders[0], child.inode());
  ASSERT_TRUE(copy) << copy.error().text();
  EXPECT_EQ(inode_of(copy->get()), child.inode());
}

// A call that starts again is checked by seccomp again, and strict mode allows next to none.
TEST(PauseRaces, StrictSeccomp) {
#ifdef __SANITIZE_THREAD__
  GTEST_SKIP() << "ThreadSanitizer's own system calls aren't among the four that are allowed";
#endif
  SKIP_UNLESS_TRACING();
  Child child([](const World& world) {
    world.ready();
    ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT);
    char byte;
    const ssize_t size = ::read(world.socket, &byte, 1);
    if (size == 1) world.say("read");
    ::syscall(SYS_exit, 0);
  });
  child.await_blocked();
  const auto holders = child.holders();
  for (int i = 0; i < 200; ++i) ASSERT_TRUE(Paused::pause(holders, child.inode(), kPatience));
  ASSERT_EQ(::send(child.peer(), "x", 1, 0), 1);
  EXPECT_EQ(child.next_line(), "read");
  EXPECT_EQ(child.await_exit(), 0);
}

// A program that ends while it is being paused.
TEST(PauseRaces, Exit) {
  SKIP_UNLESS_TRACING();
  for (int i = 0; i < 100; ++i) {
    Child child([i](const World& world) {
      for (int t = 0; t < 3; ++t)
        std::thread([] {
          for (;;) ::pause();
        }).detach();
      world.ready();
      ::usleep(static_cast<useconds_t>(i * 10));
      ::_exit(5);
    });
    child.await_ready();
    {
      const auto paused = child.pause();
      ASSERT_TRUE(paused) << paused.error().text();
    }
    const int status = child.await_exit();
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 5) << std::hex << status;
  }
}

}  // namespace
}  // namespace sockswap::process
