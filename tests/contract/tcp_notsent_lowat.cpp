#include "tcp_repair_raw.h"

namespace sockswap::test {

// So it is overridden while unsent bytes are written back.
TEST(TcpContract, TcpNotsentLowatRefusesBytesThatTheSendBufferHasRoomFor) {
  const TcpPair pair = connect_pair(Kind::ipv4);
  const Blackhole at_server(pair.server);
  ASSERT_GT(fill(pair.client, 0, 1 << 20), 0U);
  const int room = 32 << 20;
  ASSERT_EQ(::setsockopt(pair.client.get(), SOL_SOCKET, SO_SNDBUFFORCE, &room, sizeof room), 0);
  set_int(pair.client, IPPROTO_TCP, TCP_NOTSENT_LOWAT, 1);
  const std::size_t little = fill(pair.client, 0, 4 << 20);
  EXPECT_LT(little, std::size_t{4} << 20) << "the mark does not hold";
  set_int(pair.client, IPPROTO_TCP, TCP_NOTSENT_LOWAT, -1);
  EXPECT_EQ(fill(pair.client, 0, 4 << 20), std::size_t{4} << 20) << "-1 does not lift it";
}

}  // namespace sockswap::test
