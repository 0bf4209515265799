// What is refused before anything is stopped, and stays untouched.
#include <fcntl.h>
#include <sys/inotify.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#ifdef HAVE_LIBURING
#include <liburing.h>
#endif

#include "child.h"

namespace sockswap::process {
namespace {

void idle(const World& world) {
  world.ready();
  for (;;) ::pause();
}

void expect_refused(Child& child, ErrorCode code, const std::string& reason) {
  const auto holders = child.holders();
  for (const auto& refused : {check_pausable(holders), [&]() -> Result<> {
                                SOCKSWAP_CHECK(Paused::pause(holders, child.inode(), 50ms));
                                return {};
                              }()}) {
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, code) << refused.error().text();
    EXPECT_NE(refused.error().message.find(reason), std::string::npos) << refused.error().message;
  }
}

TEST(Pausable, OrdinaryProgramIs) {
  Child child(idle);
  child.await_blocked();
  EXPECT_TRUE(check_pausable(child.holders()));
  EXPECT_EQ(tracer_of(child.pid()), 0);
}

TEST(Pausable, TracedByADebuggerIsNot) {
  SKIP_UNLESS_TRACING();
  Child child(idle);
  child.await_blocked();
  const pid_t program = child.pid();
  Child debugger([program](const World& world) {
    if (::ptrace(PTRACE_SEIZE, program, nullptr, nullptr) == 0) idle(world);
  });
  debugger.await_blocked();
  expect_refused(child, ErrorCode::busy, "is traced by process");
  EXPECT_EQ(tracer_of(child.pid()), debugger.pid()) << "the debugger keeps it";
  EXPECT_EQ(state_of(child.pid()), 'S');
}

// Not a debugger, and nothing that anybody could detach.
TEST(Pausable, TracedByAnotherPauseOfOursIsNot) {
  SKIP_UNLESS_TRACING();
  Child child(idle);
  child.await_blocked();
  ASSERT_EQ(::ptrace(PTRACE_SEIZE, child.pid(), nullptr, nullptr), 0);
  expect_refused(child, ErrorCode::busy, "stands still for another move");
}

// A thousand sockets of one process are one look at it.
TEST(Pausable, OneLookAtEachProcess) {
  SKIP_UNLESS_TRACING();
  Child child(idle);
  child.await_blocked();
  const auto holders = child.holders();
  PausableProcesses processes;
  ASSERT_TRUE(processes.check(holders));
  ASSERT_EQ(::ptrace(PTRACE_SEIZE, child.pid(), nullptr, nullptr), 0);
  EXPECT_TRUE(processes.check(holders)) << "looked again";
  PausableProcesses later;
  for (int i = 0; i < 2; ++i) {
    const auto refused = later.check(holders);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::busy);
  }
}

TEST(Pausable, NobodyIsFoundSoWithoutLooking) {
  SKIP_UNLESS_TRACING();
  Child child(idle);
  child.await_blocked();
  const auto holders = child.holders();
  ASSERT_EQ(::ptrace(PTRACE_SEIZE, child.pid(), nullptr, nullptr), 0);
  for (unsigned left = 0; left < 8; ++left) {
    const FewDescriptors few(left);
    const auto pausable = check_pausable(holders);
    ASSERT_FALSE(pausable) << left << " left";
    const ErrorCode code = pausable.error().code;
    EXPECT_TRUE(code == ErrorCode::no_resources || code == ErrorCode::busy) << pausable.error().text();
  }
}

TEST(Pausable, WeAreNot) {
  const Connection connection = connect_loopback();
  const std::uint32_t inode = inode_of(connection.client.get());
  const auto holders = find_holders(inode);
  ASSERT_TRUE(holders);
  ASSERT_EQ(holders->size(), 1u);
  const auto refused = check_pausable(*holders);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::usage);
  EXPECT_FALSE(Paused::pause(*holders, inode, 50ms));
}

// The file system that a program comes from may hang, and the event loop with it.
TEST(Pausable, TheProgramsFileIsNotAsked) {
  const std::string path = testing::TempDir() + "sockswap-sleeper-" + std::to_string(::getpid());
  std::filesystem::copy_file("/bin/sleep", path);
  Child child([&](const World& world) {
    world.ready();
    ::execl(path.c_str(), path.c_str(), "1000", static_cast<char*>(nullptr));
    world.say("can't run");
  });
  child.await_ready();
  const auto runs = [&] {  // in the midst of the exec it may be seen with no descriptor at all
    const auto holders = child.holders();
    return !holders.empty() && !holders.front().command.starts_with("sockswap_unit");
  };
  for (int i = 0; i < 200 && !runs(); ++i) ::usleep(1000);
  await_state(child.pid(), 'S');
  const Fd watch(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
  ASSERT_GE(::inotify_add_watch(watch.get(), path.c_str(), IN_OPEN | IN_ACCESS), 0);
  const auto pausable = check_pausable(child.holders());
  EXPECT_TRUE(pausable) << pausable.error().text();
  alignas(inotify_event) char news[4096];
  EXPECT_EQ(::read(watch.get(), news, sizeof news), -1) << "it was opened";
  std::filesystem::remove(path);
}

// A whole 32-bit program, so that no 32-bit compiler is needed.
TEST(Pausable, ThirtyTwoBitProgramIsNot) {
  SKIP_UNLESS_TRACING();
  constexpr unsigned char kProgram[] = {
      0x7f, 'E', 'L', 'F', 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0,           // ELFCLASS32
      2, 0, 3, 0, 1, 0, 0, 0, 0x54, 0x80, 4, 8, 0x34, 0, 0, 0,           // EM_386, entry 0x8048054
      0, 0, 0, 0, 0, 0, 0, 0, 0x34, 0, 0x20, 0, 1, 0, 0, 0, 0, 0, 0, 0,  // one program
                                                                         // header
      1, 0, 0, 0, 0, 0, 0, 0, 0, 0x80, 4, 8, 0, 0x80, 4, 8,              // PT_LOAD at 0x8048000
      0x60, 0, 0, 0, 0x60, 0, 0, 0, 5, 0, 0, 0, 0, 0x10, 0, 0,           // all of the file, r-x
      0xb8, 29, 0, 0, 0, 0xcd, 0x80, 0xeb, 0xf7, 0, 0, 0};               // again: pause(); jmp again
  const std::string path = testing::TempDir() + "sockswap-32-bit-" + std::to_string(::getpid());
  {
    const Fd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0700));
    ASSERT_EQ(::write(file.get(), kProgram, sizeof kProgram), static_cast<ssize_t>(sizeof kProgram));
  }
  Child child([&](const World& world) {
    world.ready();
    ::execl(path.c_str(), path.c_str(), static_cast<char*>(nullptr));
    world.say("can't run");
  });
  child.await_ready();
  const auto runs = [&] {  // in the midst of the exec it may be seen with no descriptor at all
    const auto holders = child.holders();
    return !holders.empty() && !holders.front().command.starts_with("sockswap_unit");
  };
  for (int i = 0; i < 200 && !runs(); ++i) ::usleep(1000);
  ::unlink(path.c_str());
  if (!child.said().empty()) GTEST_SKIP() << "32-bit programs: this kernel runs none";
  const auto refused = check_pausable(child.holders());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::not_movable);
  EXPECT_NE(refused.error().message.find("32-bit"), std::string::npos);
}

#ifdef HAVE_LIBURING

// What a kernel worker has to do here blocks until the test opens the other side of the FIFO.
void open_in_worker(const World& world, const std::string& fifo) {
  io_uring ring;
  if (::io_uring_queue_init(8, &ring, 0) != 0) ::_exit(1);
  io_uring_sqe* entry = io_uring_get_sqe(&ring);
  io_uring_prep_openat(entry, AT_FDCWD, fifo.c_str(), O_RDONLY, 0);
  io_uring_sqe_set_flags(entry, IOSQE_ASYNC);
  ::io_uring_submit(&ring);
  ::usleep(20000);
  world.ready();
  io_uring_cqe* done = nullptr;
  const int error = ::io_uring_wait_cqe(&ring, &done);
  world.say(error == 0 && done->res >= 0 ? "opened" : "failed");
  ::usleep(20000);
  idle(world);
}

TEST(Pausable, IoUringWorkerIsOnlyWhileIdle) {
  SKIP_UNLESS_TRACING();
  const std::string fifo = testing::TempDir() + "sockswap-fifo-" + std::to_string(::getpid());
  ASSERT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
  Child child([&](const World& world) { open_in_worker(world, fifo); });
  child.await_blocked();
  for (int i = 0; i < 5; ++i) {
    expect_refused(child, ErrorCode::not_movable, "worker of io_uring");
    EXPECT_EQ(tracer_of(child.pid()), 0);
  }
  ASSERT_EQ(child.said(), std::vector<std::string>{});
  const Fd other_side(::open(fifo.c_str(), O_WRONLY));
  ::unlink(fifo.c_str());
  EXPECT_EQ(child.next_line(), "opened");
  child.await_blocked();

  const auto pausable = check_pausable(child.holders());
  EXPECT_TRUE(pausable) << pausable.error().text();
  const auto paused = child.pause();
  EXPECT_TRUE(paused) << paused.error().text();
}

#endif

}  // namespace
}  // namespace sockswap::process
