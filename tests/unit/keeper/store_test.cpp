// What is parked with the keeper.
#include <sys/stat.h>
#include <unistd.h>

#include "fixture.h"
#include "support/ramp.h"
#include "support/tcp_pair.h"

namespace sockswap::keeper {
namespace {

TEST(Store, KeepsDescriptorsUntilTheyAreDiscarded) {
  KeeperProcess keeper;
  auto pair = test::connect_pair(test::Kind::ipv4);
  const Bytes state = test::ramp(0, 1000);
  {
    keep::Client client = keeper.connect();
    const int fd = pair.client.get();
    for (int twice = 0; twice < 2; ++twice) must(client.store("a key", 7, std::span(&fd, 1), state));
    pair.client.reset();
  }
  keep::Client client = keeper.connect();
  const auto stored = must(client.inventory()).stored;
  ASSERT_EQ(stored.size(), 1U);
  EXPECT_EQ(stored.front().key, "a key");
  EXPECT_EQ(stored.front().owner, 7U);
  EXPECT_EQ(stored.front().ends, 1U);
  EXPECT_EQ(stored.front().state_bytes, state.size());
  for (int twice = 0; twice < 2; ++twice) {
    const auto taken = must(client.take("a key", ::getuid()));
    ASSERT_EQ(taken.fds.size(), 1U);
    EXPECT_EQ(taken.state, state);
    EXPECT_EQ(test::talk(taken.fds.front(), pair.server), "");
  }
  for (int twice = 0; twice < 2; ++twice) must(client.discard("a key"));
  EXPECT_EQ(code_of(client.take("a key", ::getuid())), ErrorCode::not_found);
  char byte = 0;
  EXPECT_EQ(::read(pair.server.get(), &byte, 1), 0) << "nobody holds it any more";
}

TEST(Store, WhoTakesThemOwnsThem) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root: CAP_CHOWN";
  KeeperProcess keeper;
  keep::Client client = keeper.connect();
  const auto pair = test::connect_pair(test::Kind::ipv4);
  const int fd = pair.client.get();
  must(client.store("key", 0, std::span(&fd, 1), {}));
  const auto fds = must(client.take("key", 4242)).fds;
  struct stat about {};
  ASSERT_EQ(::fstat(fds.front().get(), &about), 0);
  EXPECT_EQ(about.st_uid, 4242U);
}

TEST(Store, TakesConnectedTcpSocketsOnly) {
  KeeperProcess keeper;
  keep::Client client = keeper.connect();
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  const Fd reading(ends[0]), writing(ends[1]);
  EXPECT_EQ(code_of(client.store("key", 0, std::span(ends, 1), {})), ErrorCode::not_movable);
  EXPECT_EQ(code_of(client.store("key", 0, {}, {})), ErrorCode::usage);
  const auto pair = test::connect_pair(test::Kind::ipv4);
  const int fd = pair.client.get();
  EXPECT_EQ(code_of(client.store("", 0, std::span(&fd, 1), {})), ErrorCode::usage);
  EXPECT_EQ(code_of(client.store(std::string(129, 'x'), 0, std::span(&fd, 1), {})), ErrorCode::usage);
  EXPECT_EQ(code_of(client.store(std::string(128, 'x'), 0, std::span(&fd, 1), {})), ErrorCode::ok);
}

// What a move has taken away, whose daemon didn't live to say so, isn't in store any more.
TEST(Store, ForgetsWhatHasMovedAway) {
  SKIP_UNLESS_TRACING();
  KeeperProcess keeper;
  keep::Client client = keeper.connect();
  const auto program = echoing_program();
  Move move(client, *program);
  const int fd = move.moving.get();
  must(client.store("key", 0, std::span(&fd, 1), {}));
  EXPECT_EQ(must(client.take("key", 0)).fds.size(), 1U);
  move.prepare();
  EXPECT_EQ(code_of(client.take("key", 0)), ErrorCode::busy) << "it is frozen, and may be gone in a moment";
  EXPECT_EQ(must(client.inventory()).stored.size(), 1U);
  must(client.swap(move.id));
  must(client.resume(move.id));
  must(client.release_moving(move.id));
  EXPECT_EQ(code_of(client.take("key", 0)), ErrorCode::not_found);
  EXPECT_TRUE(must(client.inventory()).stored.empty());
}

}  // namespace
}  // namespace sockswap::keeper
