#include "tcp_repair_raw.h"

namespace sockswap::test {

TEST(TcpContract, RepairModeForcesAddressReuseAndLeavingItClearsSoReuseaddr) {
  const TcpPair pair = connect_pair(Kind::ipv4);
  set_int(pair.server, SOL_SOCKET, SO_REUSEADDR, 1);
  SOCKSWAP_NEED_REPAIR(pair.server);
  EXPECT_EQ(get_int(pair.server, SOL_SOCKET, SO_REUSEADDR), 2) << "SK_FORCE_REUSE";
  for (const int off : {TCP_REPAIR_OFF, TCP_REPAIR_OFF_NO_WP}) {
    repair(pair.server, TCP_REPAIR_ON);
    ASSERT_EQ(repair(pair.server, off), 0);
    EXPECT_EQ(get_int(pair.server, SOL_SOCKET, SO_REUSEADDR), 0);
  }
}

TEST(TcpContract, InRepairModeBindSharesAPortWithAListener) {
  const Fd listener(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  ASSERT_EQ(bind_raw(listener, loopback(Kind::ipv4)), 0);
  ASSERT_EQ(::listen(listener.get(), 1), 0);
  const Fd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  ASSERT_EQ(bind_raw(socket, local_of(listener)), EADDRINUSE);
  SOCKSWAP_NEED_REPAIR(socket);
  EXPECT_EQ(bind_raw(socket, local_of(listener)), 0);
}

}  // namespace sockswap::test
