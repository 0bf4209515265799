// The guard, and what happens when a pause fails or its maker dies.
#include "process/pause.h"

#include <signal.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <thread>

#include "child.h"

namespace sockswap::process {
namespace {

void count_up(const World& world) {
  world.ready();
  for (;;) world.progress->fetch_add(1);
}

void expect_still(const Child& child) {
  const std::uint64_t at = child.progress();
  std::this_thread::sleep_for(5ms);
  EXPECT_EQ(child.progress(), at);
}

TEST(Pause, NothingRunsUntilResumed) {
  SKIP_UNLESS_TRACING();
  Child child(count_up);
  child.await_ready();
  auto paused = child.pause();
  ASSERT_TRUE(paused) << paused.error().text();
  EXPECT_FALSE(paused->empty());
  expect_still(child);
  ASSERT_TRUE(paused->resume());
  EXPECT_TRUE(paused->empty());
  EXPECT_EQ(tracer_of(child.pid()), 0);
  child.await_progress();
  EXPECT_FALSE(paused->resume()) << "there is nothing left to resume";
}

TEST(Pause, DestructorResumes) {
  SKIP_UNLESS_TRACING();
  Child child(count_up);
  child.await_ready();
  {
    const auto paused = child.pause();
    ASSERT_TRUE(paused);
    expect_still(child);
  }
  EXPECT_EQ(tracer_of(child.pid()), 0);
  child.await_progress();
}

TEST(Pause, MovedGuardHoldsAndAssignedOneResumes) {
  SKIP_UNLESS_TRACING();
  Child first(count_up), second(count_up);
  first.await_ready();
  second.await_ready();
  auto one = first.pause();
  auto two = second.pause();
  ASSERT_TRUE(one && two);
  Paused guard = *std::move(one);
  expect_still(first);
  guard = *std::move(two);
  first.await_progress();
  expect_still(second);
}

// Any thread may let go of what another paused.
TEST(Pause, ResumedFromAnotherThread) {
  SKIP_UNLESS_TRACING();
  Child child(count_up);
  child.await_ready();
  auto paused = child.pause();
  ASSERT_TRUE(paused);
  std::thread([&] { EXPECT_TRUE(paused->resume()); }).join();
  child.await_progress();
}

TEST(Pause, SurvivorsRunOnWhenThePauserIsKilled) {
  SKIP_UNLESS_TRACING();
  Child child([](const World& world) {
    std::thread([world] {
      const Fd poller(::epoll_create1(0));
      epoll_event event;
      world.ready();
      const int result = ::epoll_wait(poller.get(), &event, 1, -1);
      world.say("epoll_wait ended: " + std::to_string(result));
    }).detach();
    count_up(world);
  });
  child.await_ready();
  child.await_ready();
  const auto holders = child.holders();
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  const pid_t pauser = ::fork();
  if (pauser == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    const auto paused = Paused::pause(holders, child.inode(), kPatience);
    const char answer = paused ? 'y' : 'n';
    if (::write(ends[1], &answer, 1) != 1) ::_exit(1);
    for (;;) ::pause();
  }
  char answer = 0;
  ASSERT_EQ(::read(ends[0], &answer, 1), 1);
  ASSERT_EQ(answer, 'y');
  expect_still(child);
  ::kill(pauser, SIGKILL);
  ::waitpid(pauser, nullptr, 0);
  child.await_progress();
  EXPECT_EQ(child.said(), std::vector<std::string>{});
  ::close(ends[0]);
  ::close(ends[1]);
}

// The parent of a vfork() sleeps uninterruptibly until its child lets it go on.
TEST(Pause, TimesOutAndLeavesEverythingRunning) {
  SKIP_UNLESS_TRACING();
#ifdef __SANITIZE_THREAD__
  GTEST_SKIP() << "vfork: the thread sanitizer makes it an ordinary fork()";
#endif
  Child child([](const World& world) {
    int ends[2];
    if (::pipe(ends) != 0) ::_exit(1);
    world.ready();
    const pid_t born = ::vfork();
    if (born == 0) {
      char byte;
      [[maybe_unused]] const ssize_t got = ::read(world.socket, &byte, 1);
      ::_exit(got == 1 ? 0 : 1);
    }
    int status = -1;
    ::waitpid(born, &status, 0);
    world.say(status == 0 ? "well" : "badly");
    count_up(world);
  });
  child.await_ready();
  await_state(child.pid(), 'D');
  for (int i = 0; i < 5; ++i) {
    const auto holders = child.holders();
    ASSERT_EQ(holders.size(), 2u);
    const auto paused = Paused::pause(holders, child.inode(), 30ms);
    ASSERT_FALSE(paused);
    EXPECT_EQ(paused.error().code, ErrorCode::timed_out);
    EXPECT_NE(paused.error().message.find("(state D)"), std::string::npos) << paused.error().message;
    for (const Holder& holder : holders) EXPECT_EQ(tracer_of(holder.pid), 0);
  }
  ASSERT_EQ(::send(child.peer(), "x", 1, 0), 1);
  EXPECT_EQ(child.next_line(), "well");
  child.await_ready();
  child.await_progress();
}

TEST(Pause, HoldersThatHaveEndedAreLeftOut) {
  SKIP_UNLESS_TRACING();
  std::vector<Holder> holders;
  std::uint32_t inode = 0;
  {
    Child child(count_up);
    child.await_ready();
    holders = child.holders();
    inode = child.inode();
  }
  const auto paused = Paused::pause(holders, inode, kPatience);
  ASSERT_TRUE(paused) << paused.error().text();
  EXPECT_TRUE(paused->empty());
}

// A holder that can't be looked at is not one that has ended.
TEST(Pause, WithoutDescriptorsLeftNobodyIsTakenForEnded) {
  SKIP_UNLESS_TRACING();
  Child child(count_up);
  child.await_ready();
  const auto holders = child.holders();
  ASSERT_EQ(holders.size(), 1u);
  int refused = 0;
  for (unsigned left = 0; left < 10; ++left) {
    const FewDescriptors few(left);
    auto paused = Paused::pause(holders, child.inode(), kPatience);
    if (paused) {
      const std::uint64_t at = child.progress();
      std::this_thread::sleep_for(2ms);
      EXPECT_EQ(child.progress(), at) << "not paused with " << left << " left";
      EXPECT_FALSE(paused->empty());
    } else {
      EXPECT_EQ(paused.error().code, ErrorCode::no_resources) << paused.error().text();
      ++refused;
    }
  }
  EXPECT_GT(refused, 2);
  EXPECT_EQ(tracer_of(child.pid()), 0);
  child.await_progress();
}

TEST(Pause, AnotherProcessUnderTheSameNumberIsLeftAlone) {
  SKIP_UNLESS_TRACING();
  Child child(count_up);
  child.await_ready();
  auto holders = child.holders();
  ASSERT_EQ(holders.size(), 1u);
  ++holders[0].start_time;
  const auto paused = Paused::pause(holders, child.inode(), kPatience);
  ASSERT_TRUE(paused);
  EXPECT_TRUE(paused->empty());
  EXPECT_EQ(tracer_of(child.pid()), 0);
}

}  // namespace
}  // namespace sockswap::process
