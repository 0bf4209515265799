#include "tcp_repair_raw.h"

namespace sockswap::test {
namespace {

// The segment size in use after a repair-mode connect with MSS 32000 set by TCP_REPAIR_OPTIONS.
unsigned size_in_use(bool with_maxseg) {
  const Fd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (repair(socket, TCP_REPAIR_ON) != 0) return 0;
  if (with_maxseg) set_int(socket, IPPROTO_TCP, TCP_MAXSEG, 32000);
  connect_raw(socket, loopback(Kind::ipv4, 9));
  const tcp_repair_opt mss{2, 32000};
  ::setsockopt(socket.get(), IPPROTO_TCP, TCP_REPAIR_OPTIONS, &mss, sizeof mss);
  return info_raw(socket).tcpi_snd_mss;
}

}  // namespace

TEST(TcpContract, TcpRepairOptionsAloneLeavesTheDefaultSegmentSizeInUse) {
  const Fd probe(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  SOCKSWAP_NEED_REPAIR(probe);
  EXPECT_LE(size_in_use(false), 536U) << "the engine no longer needs TCP_MAXSEG before connect()";
}

TEST(TcpContract, TcpMaxsegBeforeConnectSetsTheSegmentSizeInUse) {
  const Fd probe(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  SOCKSWAP_NEED_REPAIR(probe);
  EXPECT_GE(size_in_use(true), 32000U - 12) << "12: room for timestamps";
}

}  // namespace sockswap::test
