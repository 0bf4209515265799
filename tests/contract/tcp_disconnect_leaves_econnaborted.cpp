#include "tcp_repair_raw.h"

namespace sockswap::test {

TEST(TcpContract, DisconnectingInRepairModeLeavesEconnabortedPendingOnce) {
  const TcpPair pair = connect_pair(Kind::ipv4);
  SOCKSWAP_NEED_REPAIR(pair.client);
  ASSERT_EQ(disconnect_raw(pair.client), 0);
  EXPECT_EQ(get_int(pair.client, SOL_SOCKET, SO_ERROR), ECONNABORTED) << "another error is left, or none";
  EXPECT_EQ(get_int(pair.client, SOL_SOCKET, SO_ERROR), 0) << "reading it does not clear it";
}

}  // namespace sockswap::test
