// The handle, the versions of its structs, the names of errors, and want of memory.
#include <cstdlib>
#include <cstring>

#include "abi_fixture.h"
#include "base/error.h"
#include "failing_allocator.h"

namespace sockswap::client_test {
namespace {

using Handle = Abi;

TEST_F(Handle, IsGoodForItsErrorWhenNoDaemonAnswers) {
  const sockswap_options options{sizeof options, "/nonexistent/control.sock"};
  ASSERT_EQ(sockswap_open(&options, &s), -SOCKSWAP_NO_DAEMON);
  EXPECT_NE(text().find("/nonexistent/control.sock"), std::string::npos);
  EXPECT_STRNE(sockswap_error_hint(s), "");
  EXPECT_EQ(sockswap_fd(s), -1);
  EXPECT_EQ(sockswap_register(s, "chat", 0), -SOCKSWAP_USAGE);
}

TEST_F(Handle, MayBeNull) {
  EXPECT_EQ(sockswap_open(nullptr, nullptr), -SOCKSWAP_USAGE);
  sockswap_close(nullptr);
  EXPECT_EQ(sockswap_fd(nullptr), -1);
  EXPECT_NE(sockswap_error_text(nullptr), nullptr);
  EXPECT_STREQ(sockswap_error_hint(nullptr), "");
}

TEST_F(Handle, AcceptsAStructOfAnOlderProgram) {
  ::setenv("SOCKSWAP_CONTROL", "/nonexistent/older.sock", 1);
  sockswap_options options{};
  options.size = offsetof(sockswap_options, control_socket);  // from before there was a choice
  options.control_socket = "must not be looked at";
  EXPECT_EQ(sockswap_open(&options, &s), -SOCKSWAP_NO_DAEMON);
  EXPECT_NE(text().find("/nonexistent/older.sock"), std::string::npos) << text();
  ::unsetenv("SOCKSWAP_CONTROL");
}

TEST_F(Handle, AcceptsANewerStructUnlessItAsksForSomething) {
  struct Newer {
    sockswap_options known;
    std::uint64_t unknown;
  } newer{{sizeof newer, "/nonexistent/control.sock"}, 0};
  EXPECT_EQ(sockswap_open(&newer.known, &s), -SOCKSWAP_NO_DAEMON);
  sockswap_close(s);
  newer.unknown = 1;
  EXPECT_EQ(sockswap_open(&newer.known, &s), -SOCKSWAP_USAGE);
}

TEST_F(Handle, RefusesAStructWithoutItsSize) {
  const sockswap_options options{};
  EXPECT_EQ(sockswap_open(&options, &s), -SOCKSWAP_USAGE);
}

TEST_F(Handle, FillsNoMoreOfAResultThanTheProgramKnows) {
  TcpPair pair;
  start([](Peer& peer) {
    const auto got = peer.read();
    wire::Reply reply = reply_to(got->request);
    reply.mutable_moved()->set_move_id("0123456789abcdef");
    reply.mutable_moved()->set_pause_us(5);
    peer.send(reply);
    peer.wait_for_close();
  });
  sockswap_move_result result{};
  result.size = offsetof(sockswap_move_result, pause_us);
  result.pause_us = -1;
  ASSERT_EQ(move(pair.one.release(), "", nullptr, &result), 0) << text();
  EXPECT_EQ(std::memcmp(result.move_id, "0123456789abcdef", 16), 0);
  EXPECT_EQ(result.pause_us, -1);
  EXPECT_EQ(result.size, offsetof(sockswap_move_result, pause_us));
}

TEST(ErrorName, IsTheSameEverywhere) {
  for (int code = SOCKSWAP_OK; code <= SOCKSWAP_LOST; ++code) {
    EXPECT_EQ(sockswap_error_name(code), name(static_cast<ErrorCode>(code)));
    EXPECT_EQ(sockswap_error_name(-code), name(static_cast<ErrorCode>(code)));
  }
  EXPECT_STREQ(sockswap_error_name(-SOCKSWAP_UNKNOWN_RECEIVER), "unknown-receiver");
  for (const int odd : {21, 255, 256, -1000, INT32_MIN, INT32_MAX})
    EXPECT_STREQ(sockswap_error_name(odd), "unknown-error") << odd;
}

// Memory runs out at every single allocation of a move in turn. None may throw through the C ABI; the move
// has happened, or not, or is in doubt, and the descriptor says the same.
TEST(WantOfMemory, NeverCrossesTheAbi) {
  if (!can_fail_allocations) GTEST_SKIP() << "needs an operator new of its own, which the sanitizer replaces";
  for (long budget = 0;; ++budget) {
    TcpPair pair;
    TestDaemon daemon([](Peer& peer) {
      while (const auto got = peer.read()) {
        wire::Reply reply = reply_to(got->request);
        if (got->request.has_move())
          reply.mutable_moved()->set_move_id(std::string(16, 'm'));
        else
          reply.mutable_done();
        peer.send(reply);
      }
    });
    const sockswap_options options{sizeof options, daemon.path().c_str()};
    const int fd = pair.one.get();
    sockswap_handle* s = nullptr;
    int result = 0;
    {
      const AllocationBudget limited(budget);
      result = sockswap_open(&options, &s);
      if (result == 0) result = sockswap_register(s, "a-name-that-has-to-be-allocated-somewhere", 0);
      if (result == 0) result = sockswap_move(s, &fd, 1, "gamma", "chat", "state", 5, nullptr, nullptr);
    }
    EXPECT_TRUE(result == 0 || result == -SOCKSWAP_NO_RESOURCES || result == -SOCKSWAP_IN_DOUBT ||
                result == -SOCKSWAP_NO_DAEMON)
        << budget << ": " << result;
    EXPECT_EQ(is_open(fd), result != 0) << budget;
    if (result != 0) {
      EXPECT_STRNE(sockswap_error_text(s), "") << budget;
    }
    sockswap_close(s);
    if (result == 0) {
      (void)pair.one.release();
      EXPECT_GT(budget, 5);
      break;
    }
  }
}

}  // namespace
}  // namespace sockswap::client_test
