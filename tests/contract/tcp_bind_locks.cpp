#include "tcp_repair_raw.h"

namespace sockswap::test {
namespace {

// The errno of bind() to the old address after a disconnect in repair mode.
int bind_again(const Fd& socket) {
  const Endpoint old = local_of(socket);
  if (repair(socket, TCP_REPAIR_ON) != 0 || disconnect_raw(socket) != 0) return -1;
  return bind_raw(socket, old);
}

}  // namespace

TEST(TcpContract, AnAcceptedSocketLosesItsPortOnDisconnect) {
  const TcpPair pair = connect_pair(Kind::ipv4);
  SOCKSWAP_NEED_REPAIR(pair.server);
  EXPECT_EQ(bind_again(pair.server), 0);
}

TEST(TcpContract, AClientWithAnEphemeralPortLosesItOnDisconnect) {
  const TcpPair pair = connect_pair(Kind::ipv4);
  SOCKSWAP_NEED_REPAIR(pair.client);
  EXPECT_EQ(bind_again(pair.client), 0);
}

TEST(TcpContract, ABoundSocketKeepsAddressAndPortAndRefusesASecondBindWithEinval) {
  const TcpPair pair = connect_pair(Kind::ipv4, ClientPort::bound);
  SOCKSWAP_NEED_REPAIR(pair.client);
  const Endpoint old = local_of(pair.client);
  EXPECT_EQ(bind_again(pair.client), EINVAL);
  EXPECT_EQ(local_of(pair.client), old);
}

TEST(TcpContract, ASocketBoundToAPortAloneKeepsJustThePort) {
  const TcpPair pair = connect_pair(Kind::ipv4, ClientPort::wildcard);
  SOCKSWAP_NEED_REPAIR(pair.client);
  const Endpoint old = local_of(pair.client);
  EXPECT_FALSE(old.address.is_any());
  EXPECT_EQ(bind_again(pair.client), EINVAL);
  EXPECT_TRUE(local_of(pair.client).address.is_any());
  EXPECT_EQ(local_of(pair.client).port, old.port);
}

// So getsockname() can't tell whether a socket must be bound again.
TEST(TcpContract, GetsocknameGoesOnNamingAPortThatWasGivenBack) {
  const TcpPair pair = connect_pair(Kind::ipv4);
  SOCKSWAP_NEED_REPAIR(pair.server);
  const Endpoint old = local_of(pair.server);
  ASSERT_EQ(disconnect_raw(pair.server), 0);
  EXPECT_EQ(local_of(pair.server).port, old.port)
      << "the port is 0 now: the engine could save the bind() that finds out";
}

}  // namespace sockswap::test
