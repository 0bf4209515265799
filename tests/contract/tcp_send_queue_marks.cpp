#include "tcp_repair_raw.h"

namespace sockswap::test {

// So the send queue must not stay selected.
TEST(TcpContract, WithTheSendQueueSelectedBytesCountAsSentWithoutBeingSent) {
  const TcpPair pair = connect_pair(Kind::ipv4);
  SOCKSWAP_NEED_REPAIR(pair.client);
  set_int(pair.client, IPPROTO_TCP, TCP_REPAIR_QUEUE, TCP_SEND_QUEUE);
  ASSERT_EQ(fill(pair.client, 0, 1000), 1000U);
  EXPECT_EQ(count_raw(pair.client, SIOCOUTQ), 1000);
  EXPECT_EQ(count_raw(pair.client, SIOCOUTQNSD), 0) << "they still count as unsent";
  EXPECT_EQ(count_raw(pair.server, SIOCINQ), 0) << "they were sent";
}

}  // namespace sockswap::test
