// io_uring beside a paused program: its threads, and requests that wait on a socket which is re-pointed.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <liburing.h>
#include <linux/capability.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <optional>
#include <thread>

#include "check/lacking.h"
#include "process/holders.h"
#include "process/pause.h"

namespace sockswap {
namespace {

using namespace std::chrono_literals;

// A disconnect in repair mode and a connect to the same place again: what a staying end goes through.
void repoint_in_place(int fd) {
  auto set = [&](int name, int value) { return ::setsockopt(fd, IPPROTO_TCP, name, &value, sizeof value); };
  sockaddr_in here{}, there{};
  socklen_t size = sizeof here;
  ASSERT_EQ(::getsockname(fd, reinterpret_cast<sockaddr*>(&here), &size), 0);
  ASSERT_EQ(::getpeername(fd, reinterpret_cast<sockaddr*>(&there), &size), 0);
  ASSERT_EQ(set(TCP_REPAIR, TCP_REPAIR_ON), 0);
  int sequence[3];
  for (const int queue : {TCP_RECV_QUEUE, TCP_SEND_QUEUE}) {
    set(TCP_REPAIR_QUEUE, queue);
    socklen_t length = sizeof sequence[0];
    ASSERT_EQ(::getsockopt(fd, IPPROTO_TCP, TCP_QUEUE_SEQ, &sequence[queue], &length), 0);
  }
  sockaddr nowhere{};
  nowhere.sa_family = AF_UNSPEC;
  ASSERT_EQ(::connect(fd, &nowhere, sizeof nowhere), 0);
  int pending = 0;
  socklen_t length = sizeof pending;
  ::getsockopt(fd, SOL_SOCKET, SO_ERROR, &pending, &length);
  for (const int queue : {TCP_RECV_QUEUE, TCP_SEND_QUEUE}) {
    set(TCP_REPAIR_QUEUE, queue);
    ASSERT_EQ(set(TCP_QUEUE_SEQ, sequence[queue]), 0);
  }
  ASSERT_EQ(::bind(fd, reinterpret_cast<sockaddr*>(&here), sizeof here), 0);
  ASSERT_EQ(::connect(fd, reinterpret_cast<sockaddr*>(&there), sizeof there), 0);
  ASSERT_EQ(set(TCP_REPAIR, TCP_REPAIR_OFF), 0);
}

// A program whose request waits on its end while that end is re-pointed; it stands still meanwhile, so
// what the disconnect woke is looked at when all is done.
class WaitingRequest : public testing::Test {
 protected:
  void SetUp() override {
    if (!check::has_capability(CAP_NET_ADMIN)) GTEST_SKIP() << "tcp-repair: needs CAP_NET_ADMIN";
    if (!check::has_capability(CAP_SYS_PTRACE)) GTEST_SKIP() << "ptrace-pause: needs CAP_SYS_PTRACE";
    auto connected = check::connect_loopback();
    ASSERT_TRUE(connected) << connected.error().text();
    connection_ = *std::move(connected);
    // Blocking, as most programs' sockets are.
    ::fcntl(connection_.server.get(), F_SETFL, ::fcntl(connection_.server.get(), F_GETFL) & ~O_NONBLOCK);
    int ends[2];
    ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
    results_ = Fd(ends[0]);
    say_ = Fd(ends[1]);
  }
  void TearDown() override {
    if (program_ > 0) ::kill(program_, SIGKILL), ::waitpid(program_, nullptr, 0);
  }

  void start(void (*prepare)(io_uring_sqe*, int fd)) {
    program_ = ::fork();
    if (program_ != 0) return;
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    connection_.client.reset();
    io_uring ring;
    io_uring_cqe* done = nullptr;
    if (::io_uring_queue_init(8, &ring, 0) != 0) ::_exit(1);
    prepare(io_uring_get_sqe(&ring), connection_.server.get());
    ::io_uring_submit(&ring);
    const int result = ::io_uring_wait_cqe(&ring, &done) == 0 ? done->res : -1000;
    if (::write(say_.get(), &result, sizeof result) < 0) ::_exit(1);
    for (;;) ::pause();
  }

  void repoint_under_it(bool pausable) {
    std::this_thread::sleep_for(50ms);
    struct stat file {};
    ASSERT_EQ(::fstat(connection_.server.get(), &file), 0);
    const auto inode = static_cast<std::uint32_t>(file.st_ino);
    const auto holders = process::find_holders(inode, ::getpid());
    ASSERT_TRUE(holders && holders->size() == 1);
    EXPECT_EQ(process::check_pausable(*holders).has_value(), pausable);
    const auto paused = process::Paused::pause(*holders, inode, 1s);
    ASSERT_TRUE(paused) << paused.error().text();
    repoint_in_place(connection_.server.get());
  }

  // What the request ended with, or nullopt if it still waits.
  std::optional<int> result(std::chrono::milliseconds patience) {
    pollfd waiting{.fd = results_.get(), .events = POLLIN, .revents = 0};
    int value = 0;
    if (::poll(&waiting, 1, static_cast<int>(patience.count())) != 1) return std::nullopt;
    return ::read(results_.get(), &value, sizeof value) == sizeof value ? std::optional(value) : std::nullopt;
  }

  pid_t program_ = 0;
  Fd results_, say_;
  check::Connection connection_;
};

TEST_F(WaitingRequest, RecvSurvivesTheRepointing) {
  start([](io_uring_sqe* entry, int fd) {
    static char byte;
    io_uring_prep_recv(entry, fd, &byte, 1, 0);
  });
  repoint_under_it(true);
  EXPECT_EQ(result(50ms), std::nullopt);
  ASSERT_EQ(::send(connection_.client.get(), "x", 1, 0), 1);
  EXPECT_EQ(result(5s), 1);
}

// Why check_pausable() refuses these.
TEST_F(WaitingRequest, PollIsToldOfAnError) {
  start([](io_uring_sqe* entry, int fd) { io_uring_prep_poll_add(entry, fd, POLLIN); });
  repoint_under_it(false);
  EXPECT_EQ(result(5s), POLLERR);
}

TEST_F(WaitingRequest, MultishotPollIsToldOfAnError) {
  start([](io_uring_sqe* entry, int fd) { io_uring_prep_poll_multishot(entry, fd, POLLIN); });
  repoint_under_it(false);
  EXPECT_EQ(result(5s), POLLERR);
}

}  // namespace
}  // namespace sockswap
