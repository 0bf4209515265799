// A hundred moves of one connection, with the roles of the ends changing.
#include <gtest/gtest.h>

#include "support/tcp_pair.h"
#include "swap.h"

namespace sockswap::test {
namespace {

struct Chain {
  Kind kind;
  ClientPort port;
};

class Chained : public testing::TestWithParam<Chain> {};

INSTANTIATE_TEST_SUITE_P(
    All, Chained,
    testing::Values(Chain{Kind::ipv4, ClientPort::ephemeral}, Chain{Kind::ipv4, ClientPort::bound},
                    Chain{Kind::ipv4, ClientPort::wildcard}, Chain{Kind::ipv6, ClientPort::ephemeral},
                    Chain{Kind::ipv6, ClientPort::bound}, Chain{Kind::ipv6, ClientPort::wildcard},
                    Chain{Kind::mapped, ClientPort::ephemeral}, Chain{Kind::mapped, ClientPort::bound},
                    Chain{Kind::mapped, ClientPort::wildcard}),
    [](const auto& each) { return std::string(name(each.param.kind)) + "_" + name(each.param.port); });

constexpr int kSwaps = 100;

Endpoint hop(Kind kind, int turn) {
  Endpoint out = loopback(kind);
  if (kind != Kind::ipv6) out.address = Address::parse("127.0.0." + std::to_string(2 + turn % 50)).value();
  return out;
}

TEST_P(Chained, TheSameEndMovesWhileTheOtherIsRepointedEachTime) {
  for (const bool client_moves : {true, false}) {
    TcpPair pair = connect_pair(GetParam().kind, GetParam().port);
    Fd& moving = client_moves ? pair.client : pair.server;
    const Fd& staying = client_moves ? pair.server : pair.client;
    std::size_t written = 0, read = 0;
    for (int turn = 0; turn < kSwaps; ++turn) {
      SCOPED_TRACE(testing::Message() << "turn " << turn << (client_moves ? " client" : " server"));
      written += fill(staying, written, 700);
      auto moved = swap_end(socket::real_kernel(), std::move(moving), staying, hop(GetParam().kind, turn));
      ASSERT_TRUE(moved) << moved.error().text();
      moving = std::move(*moved);
      // Some bytes always stay behind, so that the queue travels too.
      const std::size_t count = std::min<std::size_t>(written - read, 600);
      ASSERT_EQ(receive_ramp(moving, read, count), count);
      read += count;
    }
    ASSERT_EQ(receive_ramp(moving, read, written - read), written - read);
    EXPECT_EQ(talk(pair.client, pair.server), "");
  }
}

TEST_P(Chained, BothEndsMoveInTurn) {
  TcpPair pair = connect_pair(GetParam().kind, GetParam().port);
  for (int turn = 0; turn < kSwaps; ++turn) {
    SCOPED_TRACE(turn);
    Fd& moving = turn % 2 == 0 ? pair.client : pair.server;
    const Fd& staying = turn % 2 == 0 ? pair.server : pair.client;
    auto moved = swap_end(socket::real_kernel(), std::move(moving), staying, hop(GetParam().kind, turn));
    ASSERT_TRUE(moved) << moved.error().text();
    moving = std::move(*moved);
    ASSERT_EQ(talk(pair.client, pair.server), "");
  }
}

TEST(Repoint, ABoundAddressThatCantChangeIsRefusedAndTheOldPlaceStillWorks) {
  TcpPair pair = connect_pair(Kind::ipv4, ClientPort::bound);
  auto frozen = freeze_both(socket::real_kernel(), std::move(pair.server), pair.client);
  ASSERT_TRUE(frozen);
  const socket::Image& image = frozen->staying_image;
  const socket::Place elsewhere{{Address::parse("127.0.0.9").value(), image.tuple.local.port},
                                image.tuple.remote};
  auto refused = frozen->staying.repoint(image, elsewhere);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::not_movable);
  // Undone: back to where it was.
  auto back = frozen->staying.repoint(image, {image.tuple.local, image.tuple.remote});
  ASSERT_TRUE(back) << back.error().text();
  ASSERT_TRUE(back->thaw());
  const auto old_remote = image.tuple.remote;
  EXPECT_EQ(remote_of(pair.client), old_remote);
}

}  // namespace
}  // namespace sockswap::test
