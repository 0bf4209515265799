#include "tcp_repair_raw.h"

namespace sockswap::test {
namespace {

unsigned segments_out(const Fd& socket) { return info_raw(socket).tcpi_segs_out; }

}  // namespace

TEST(TcpContract, LeavingRepairModeSendsOneSegmentAndNoneWithTheNoProbeValue) {
  const TcpPair pair = connect_pair(Kind::ipv4);
  SOCKSWAP_NEED_REPAIR(pair.client);
  const unsigned before = segments_out(pair.client);
  ASSERT_EQ(repair(pair.client, TCP_REPAIR_OFF_NO_WP), 0);
  EXPECT_EQ(segments_out(pair.client), before);
  ASSERT_EQ(repair(pair.client, TCP_REPAIR_ON), 0);
  ASSERT_EQ(repair(pair.client, TCP_REPAIR_OFF), 0);
  EXPECT_EQ(segments_out(pair.client), before + 1);
}

}  // namespace sockswap::test
