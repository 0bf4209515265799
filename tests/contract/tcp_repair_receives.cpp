#include "tcp_repair_raw.h"

namespace sockswap::test {

TEST(TcpContract, AnEndInRepairModeTakesAndAcknowledgesWhatArrives) {
  const TcpPair pair = connect_pair(Kind::ipv4);
  SOCKSWAP_NEED_REPAIR(pair.server);
  fill(pair.client, 0, 1000);
  for (int turn = 0; turn < 1000 && count_raw(pair.client, SIOCOUTQ) > 0; ++turn) ::usleep(1000);
  EXPECT_EQ(count_raw(pair.client, SIOCOUTQ), 0) << "not acknowledged";
  ASSERT_EQ(repair(pair.server, TCP_REPAIR_OFF_NO_WP), 0);
  EXPECT_EQ(receive_ramp(pair.server, 0, 1000), 1000U);
}

}  // namespace sockswap::test
