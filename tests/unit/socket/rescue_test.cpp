// A process is killed while it has both ends of a connection frozen, at each of its system calls: what it
// leaves on the sockets is undone by another.
#include <gtest/gtest.h>
#include <linux/filter.h>
#include <linux/tcp.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

#include "failing_kernel.h"
#include "support/ramp.h"
#include "support/tcp_pair.h"
#include "swap.h"

namespace sockswap::test {
namespace {

using namespace socket;

constexpr std::size_t unread = 1000;

struct Set {
  int level, option, value;
};
constexpr Set set_by_the_program[] = {{SOL_SOCKET, SO_KEEPALIVE, 1},
                                      {SOL_SOCKET, SO_REUSEADDR, 1},
                                      {IPPROTO_TCP, TCP_USER_TIMEOUT, 30'000},
                                      {IPPROTO_TCP, TCP_NODELAY, 1}};

void set_filter(const Fd& end) {
  sock_filter all = BPF_STMT(BPF_RET | BPF_K, 0xffffffff);
  const sock_fprog program{1, &all};
  ASSERT_EQ(::setsockopt(end.get(), SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program), 0);
}
bool is_connected(const Fd& end) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  return ::getpeername(end.get(), reinterpret_cast<sockaddr*>(&address), &size) == 0;
}

// A pair whose server, which stays, has bytes to read and, if asked for, bytes that aren't sent yet.
struct Case {
  TcpPair pair = connect_pair(Kind::ipv4);
  std::size_t unsent = 0;

  explicit Case(bool with_unsent) {
    for (const Fd* end : {&pair.client, &pair.server}) {
      for (const Set& set : set_by_the_program) set_int(*end, set.level, set.option, set.value);
      set_filter(*end);
    }
    fill(pair.client, 0, unread);
    if (with_unsent) unsent = fill(pair.server, 0);
  }

  // Whether the process that moves the client's end was killed: it makes fewer calls than `call` otherwise.
  bool move_and_be_killed_at(int call) {
    const pid_t mover = ::fork();
    if (mover == 0) {
      FailingKernel kernel;
      kernel.be_killed_at(call);
      auto moved =
          swap_end(kernel, pair.client.duplicate(), pair.server, {Address::parse("127.0.0.2").value(), 0});
      ::_exit(moved ? 0 : 1);
    }
    int status = 0;
    EXPECT_EQ(::waitpid(mover, &status, 0), mover);
    for (const Fd* end : {&pair.client, &pair.server}) {
      const auto freezer = frozen_by(real_kernel(), end->get());
      if (freezer) {
        EXPECT_EQ(*freezer, mover);
      }
    }
    const bool killed = WIFSIGNALED(status);
    EXPECT_TRUE(killed || status == 0);
    return killed;
  }

  void expect_nothing_left(const Fd& end) const {
    EXPECT_FALSE(frozen_by(real_kernel(), end.get()));
    EXPECT_EQ(get_int(end, IPPROTO_TCP, TCP_REPAIR), 0);
    EXPECT_EQ(filter_length(end), 1u) << "its own";
    for (const Set& set : set_by_the_program)
      EXPECT_EQ(get_int(end, set.level, set.option), set.value) << set.level << "/" << set.option;
  }

  void expect_whole() const {
    EXPECT_EQ(receive_ramp(pair.server, 0, unread), unread);
    EXPECT_EQ(receive_ramp(pair.client, 0, unsent), unsent);
    EXPECT_EQ(talk(pair.client, pair.server), "");
  }
};

struct Outcomes {
  int as_it_was = 0, disconnected = 0, elsewhere = 0;
};

Outcomes kill_at_every_call(bool with_unsent) {
  Outcomes seen;
  for (int call = 1;; ++call) {
    SCOPED_TRACE(call);
    Case test(with_unsent);
    const Fd &client = test.pair.client, &server = test.pair.server;
    if (!test.move_and_be_killed_at(call)) break;
    for (const Fd* end : {&client, &server})
      if (frozen_by(real_kernel(), end->get())) {
        const auto rescued = rescue(real_kernel(), end->get());
        EXPECT_TRUE(rescued) << rescued.error().text();
      }
    test.expect_nothing_left(client);
    test.expect_nothing_left(server);
    if (is_connected(client)) {  // it is let go before the other is re-pointed
      ++seen.as_it_was;
      test.expect_whole();
    } else if (is_connected(server)) {  // to the new end, which has died with who made it, or the old one
      ++seen.elsewhere;
      EXPECT_EQ(receive_ramp(server, 0, unread), unread);
    } else {
      ++seen.disconnected;
      EXPECT_EQ(::send(server.get(), "x", 1, MSG_DONTWAIT | MSG_NOSIGNAL), -1);
      EXPECT_TRUE(errno == EPIPE || errno == ECONNRESET) << errno;
    }
    if (::testing::Test::HasFailure()) break;
  }
  return seen;
}

TEST(Rescue, OfWhatAProcessThatWasKilledHasLeftFrozen) {
  const Outcomes seen = kill_at_every_call(false);
  EXPECT_GT(seen.as_it_was, 20);
  EXPECT_GT(seen.elsewhere, 0);
  EXPECT_GT(seen.disconnected, 0);
}

TEST(Rescue, BytesThatDiedWithItEndTheConnection) {
  const Outcomes seen = kill_at_every_call(true);
  EXPECT_GT(seen.as_it_was, 20);
  EXPECT_GT(seen.disconnected, 0);
}

TEST(Rescue, OfAnEndThatRests) {
  Case test(true);
  const pid_t keeper = ::fork();
  if (keeper == 0) {
    auto frozen = FrozenEnd::freeze(real_kernel(), test.pair.server.duplicate(), Intent::stay);
    if (frozen && frozen->capture() && frozen->rest()) ::raise(SIGKILL);
    ::_exit(1);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(keeper, &status, 0), keeper);
  ASSERT_TRUE(WIFSIGNALED(status));
  const auto rescued = rescue(real_kernel(), test.pair.server.get());
  ASSERT_TRUE(rescued) << rescued.error().text();
  EXPECT_EQ(*rescued, Rescue::thawed);
  test.expect_nothing_left(test.pair.server);
  test.expect_whole();
}

TEST(Rescue, LeavesAloneWhatNobodyHasFrozen) {
  Case test(false);
  EXPECT_FALSE(frozen_by(real_kernel(), test.pair.server.get()));
  const auto rescued = rescue(real_kernel(), test.pair.server.get());
  ASSERT_FALSE(rescued);
  EXPECT_EQ(rescued.error().code, ErrorCode::not_found);
  test.expect_nothing_left(test.pair.server);
  test.expect_whole();
}

// Two at once would each take the other's doing for the program's.
TEST(Rescue, IsNotWaitedForByAnotherFreeze) {
  TcpPair pair = connect_pair(Kind::ipv4);
  const auto frozen = FrozenEnd::freeze(real_kernel(), pair.server.duplicate());
  ASSERT_TRUE(frozen);
  const auto again = FrozenEnd::freeze(real_kernel(), pair.server.duplicate());
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, ErrorCode::busy);
}

}  // namespace
}  // namespace sockswap::test
