#include "tcp_repair_raw.h"

namespace sockswap::test {

TEST(TcpContract, QueueSequenceNumbersCanOnlyBeSetOnAClosedSocket) {
  const TcpPair pair = connect_pair(Kind::ipv4);
  SOCKSWAP_NEED_REPAIR(pair.client);
  set_int(pair.client, IPPROTO_TCP, TCP_REPAIR_QUEUE, TCP_SEND_QUEUE);
  EXPECT_EQ(set_option(pair.client, IPPROTO_TCP, TCP_QUEUE_SEQ, 1000), EPERM);
  ASSERT_EQ(disconnect_raw(pair.client), 0);
  EXPECT_EQ(set_option(pair.client, IPPROTO_TCP, TCP_QUEUE_SEQ, 1000), 0);
  EXPECT_EQ(get_int(pair.client, IPPROTO_TCP, TCP_QUEUE_SEQ), 1000);
}

TEST(TcpContract, RepairOptionsNeedAConnectionThatHasSentNothing) {
  const TcpPair pair = connect_pair(Kind::ipv4);
  fill(pair.client, 0, 100);
  SOCKSWAP_NEED_REPAIR(pair.client);
  const tcp_repair_opt mss{2, 1000};
  EXPECT_EQ(::setsockopt(pair.client.get(), IPPROTO_TCP, TCP_REPAIR_OPTIONS, &mss, sizeof mss), -1);
  EXPECT_EQ(errno, EPERM);
}

}  // namespace sockswap::test
