#include "tcp_repair_raw.h"

namespace sockswap::test {

// So freezing switches it off.
TEST(TcpContract, TcpUserTimeoutEndsAConnectionInRepairModeToo) {
  const TcpPair pair = connect_pair(Kind::ipv4);
  set_int(pair.client, IPPROTO_TCP, TCP_USER_TIMEOUT, 100);
  const Blackhole at_server(pair.server), at_client(pair.client);
  fill(pair.client, 0, 1000);
  SOCKSWAP_NEED_REPAIR(pair.client);
  for (int turn = 0; turn < 500 && info_raw(pair.client).tcpi_state == 1; ++turn) ::usleep(10'000);
  EXPECT_NE(info_raw(pair.client).tcpi_state, 1) << "repair mode stops the timer: no need to";
}

}  // namespace sockswap::test
