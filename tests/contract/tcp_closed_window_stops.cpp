#include "tcp_repair_raw.h"

namespace sockswap::test {
namespace {

void set_window(const Fd& socket, std::uint32_t size) {
  tcp_repair_window window{};
  socklen_t length = sizeof window;
  ASSERT_EQ(::getsockopt(socket.get(), IPPROTO_TCP, TCP_REPAIR_WINDOW, &window, &length), 0);
  window.snd_wnd = size;
  ASSERT_EQ(::setsockopt(socket.get(), IPPROTO_TCP, TCP_REPAIR_WINDOW, &window, sizeof window), 0);
}

}  // namespace

TEST(TcpContract, ASndWndOf0SetByRepairWindowKeepsUnsentBytesUnsent) {
  const TcpPair pair = connect_pair(Kind::ipv4);
  SOCKSWAP_NEED_REPAIR(pair.client);
  set_window(pair.client, 0);
  ASSERT_EQ(repair(pair.client, TCP_REPAIR_OFF_NO_WP), 0);
  ASSERT_EQ(fill(pair.client, 0, 1000), 1000U);
  EXPECT_EQ(count_raw(pair.client, SIOCOUTQNSD), 1000) << "a closed window does not stop the sender";
  EXPECT_EQ(count_raw(pair.server, SIOCINQ), 0);
  // The probe at the end of repair mode brings the real window back.
  ASSERT_EQ(repair(pair.client, TCP_REPAIR_ON), 0);
  ASSERT_EQ(repair(pair.client, TCP_REPAIR_OFF), 0);
  EXPECT_EQ(receive_ramp(pair.server, 0, 1000), 1000U);
}

}  // namespace sockswap::test
