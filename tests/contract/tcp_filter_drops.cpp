#include "tcp_repair_raw.h"

namespace sockswap::test {

TEST(TcpContract, AFilterThatReturns0DropsSegmentsBeforeTcpSeesThem) {
  const TcpPair pair = connect_pair(Kind::ipv4);
  {
    const Blackhole at_server(pair.server);
    fill(pair.client, 0, 1000);
    EXPECT_EQ(count_raw(pair.server, SIOCINQ), 0) << "the bytes came through";
    EXPECT_EQ(count_raw(pair.client, SIOCOUTQ), 1000) << "the bytes were acknowledged";
  }
  EXPECT_EQ(receive_ramp(pair.server, 0, 1000), 1000U) << "retransmission does not come through";
}

TEST(TcpContract, SoGetFilterCountsInstructionsAndGivesThemBack) {
  const TcpPair pair = connect_pair(Kind::ipv4);
  sock_filter code[] = {BPF_STMT(BPF_LD | BPF_IMM, 7), BPF_STMT(BPF_RET | BPF_A, 0)};
  const sock_fprog program{2, code};
  ASSERT_EQ(::setsockopt(pair.server.get(), SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program), 0);
  socklen_t count = 0;
  ASSERT_EQ(::getsockopt(pair.server.get(), SOL_SOCKET, SO_GET_FILTER, nullptr, &count), 0);
  ASSERT_EQ(count, 2U) << "asked for none, it does not tell how many there are";
  sock_filter back[2]{};
  ASSERT_EQ(::getsockopt(pair.server.get(), SOL_SOCKET, SO_GET_FILTER, back, &count), 0);
  EXPECT_EQ(std::memcmp(back, code, sizeof code), 0);
}

}  // namespace sockswap::test
