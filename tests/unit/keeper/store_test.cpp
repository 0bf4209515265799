// What is parked with the keeper.
#include <sys/stat.h>
#include <unistd.h>

#include "fixture.h"
#include "support/tcp_pair.h"

namespace sockswap::keeper {
namespace {

TEST(Store, KeepsDescriptorsUntilTheyAreDiscarded) {
  KeeperProcess keeper;
  auto pair = test::connect_pair(test::Kind::ipv4);
  {
    keep::Client client = keeper.connect();
    const int fd = pair.client.get();
    for (int twice = 0; twice < 2; ++twice) must(client.store("a key", std::span(&fd, 1)));
    pair.client.reset();
  }
  keep::Client client = keeper.connect();
  EXPECT_EQ(must(client.inventory()).keys, std::vector<std::string>{"a key"});
  for (int twice = 0; twice < 2; ++twice) {
    const auto fds = must(client.take("a key", ::getuid()));
    ASSERT_EQ(fds.size(), 1U);
    EXPECT_EQ(test::talk(fds.front(), pair.server), "");
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
  must(client.store("key", std::span(&fd, 1)));
  const auto fds = must(client.take("key", 4242));
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
  EXPECT_EQ(code_of(client.store("key", std::span(ends, 1))), ErrorCode::not_movable);
  EXPECT_EQ(code_of(client.store("key", {})), ErrorCode::usage);
  const auto pair = test::connect_pair(test::Kind::ipv4);
  const int fd = pair.client.get();
  EXPECT_EQ(code_of(client.store("", std::span(&fd, 1))), ErrorCode::usage);
  EXPECT_EQ(code_of(client.store(std::string(129, 'x'), std::span(&fd, 1))), ErrorCode::usage);
  EXPECT_EQ(code_of(client.store(std::string(128, 'x'), std::span(&fd, 1))), ErrorCode::ok);
}

}  // namespace
}  // namespace sockswap::keeper
