#include "tcp_repair_raw.h"

namespace sockswap::test {
namespace {

int after_reconnect(int level, int name, int value) {
  const TcpPair pair = connect_pair(Kind::ipv4);
  const Endpoint local = local_of(pair.server), remote = remote_of(pair.server);
  if (set_option(pair.server, level, name, value) != 0) return -1;
  if (repair(pair.server, TCP_REPAIR_ON) != 0 || disconnect_raw(pair.server) != 0) return -2;
  if (bind_raw(pair.server, local) != 0 || connect_raw(pair.server, remote) != 0) return -3;
  return get_int(pair.server, level, name);
}

}  // namespace

// The engine puts back three that are lost, and trusts the kernel for the rest. All others of the
// table are tested through the engine (options_test.cpp).
TEST(TcpContract, ReconnectingKeepsTheProgramsOptionsButThree) {
  {
    const Fd probe(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    SOCKSWAP_NEED_REPAIR(probe);
  }
  EXPECT_EQ(after_reconnect(IPPROTO_TCP, TCP_NODELAY, 1), 1);
  EXPECT_EQ(after_reconnect(IPPROTO_TCP, TCP_KEEPIDLE, 123), 123);
  EXPECT_EQ(after_reconnect(IPPROTO_TCP, TCP_USER_TIMEOUT, 4567), 4567);
  EXPECT_NE(after_reconnect(IPPROTO_TCP, TCP_WINDOW_CLAMP, 30'000), 30'000);
  if (after_reconnect(IPPROTO_TCP, 45, 100'000) == -1) GTEST_SKIP() << "this kernel has no TCP_RTO_MIN_US";
  EXPECT_NE(after_reconnect(IPPROTO_TCP, 45, 100'000), 100'000) << "TCP_RTO_MIN_US survives now";
  EXPECT_NE(after_reconnect(IPPROTO_TCP, 46, 20'000), 20'000) << "TCP_DELACK_MAX_US survives now";
}

// So the engine carries it in the image and calls shutdown() again.
TEST(TcpContract, ReconnectingForgetsAShutReceivingDirection) {
  const TcpPair pair = connect_pair(Kind::ipv4);
  SOCKSWAP_NEED_REPAIR(pair.server);
  const auto seen = [&] {
    pollfd about{pair.server.get(), POLLRDHUP, 0};
    return ::poll(&about, 1, 0) == 1 && (about.revents & POLLRDHUP) != 0;
  };
  const Endpoint local = local_of(pair.server), remote = remote_of(pair.server);
  ASSERT_EQ(::shutdown(pair.server.get(), SHUT_RD), 0);
  EXPECT_TRUE(seen());
  ASSERT_EQ(disconnect_raw(pair.server), 0);
  ASSERT_EQ(bind_raw(pair.server, local), 0);
  ASSERT_EQ(connect_raw(pair.server, remote), 0);
  EXPECT_FALSE(seen()) << "the engine could save its shutdown()";
}

}  // namespace sockswap::test
