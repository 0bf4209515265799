#include "tcp_repair_raw.h"

namespace sockswap::test {

TEST(TcpContract, DisconnectingInRepairModeSendsNothing) {
  const TcpPair pair = connect_pair(Kind::ipv4);
  SOCKSWAP_NEED_REPAIR(pair.client);
  ASSERT_EQ(disconnect_raw(pair.client), 0);
  char byte = 0;
  ASSERT_EQ(::recv(pair.server.get(), &byte, 1, MSG_DONTWAIT), -1) << "the other end saw a FIN";
  EXPECT_EQ(errno, EAGAIN) << "the other end saw a RST";
}

TEST(TcpContract, ClosingInRepairModeSendsNothing) {
  TcpPair pair = connect_pair(Kind::ipv4);
  SOCKSWAP_NEED_REPAIR(pair.client);
  pair.client.reset();
  char byte = 0;
  ASSERT_EQ(::recv(pair.server.get(), &byte, 1, MSG_DONTWAIT), -1) << "the other end saw a FIN";
  EXPECT_EQ(errno, EAGAIN) << "the other end saw a RST";
}

TEST(TcpContract, ConnectingInRepairModeIsInstantAndNeedsNobodyThere) {
  const Fd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  SOCKSWAP_NEED_REPAIR(socket);
  ASSERT_EQ(connect_raw(socket, loopback(Kind::ipv4, 9)), 0);
  EXPECT_EQ(info_raw(socket).tcpi_state, 1) << "not ESTABLISHED at once";
}

}  // namespace sockswap::test
