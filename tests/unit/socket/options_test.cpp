// Each option of the table, with a value that no fresh socket has, moved and re-pointed.
#include <gtest/gtest.h>
#include <linux/filter.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <cstring>
#include <map>

#include "socket/option_table.h"
#include "support/tcp_pair.h"
#include "swap.h"

namespace sockswap::test {
namespace {

using socket::Applies;
using socket::OptionRow;

// Anything that the kernel takes and that differs from the default; other options get 1.
int strange_value(const OptionRow& row) {
  static const std::map<std::pair<int, int>, int> values{
      {{SOL_SOCKET, SO_RCVLOWAT}, 7},
      {{SOL_SOCKET, SO_PEEK_OFF}, 3},
      {{SOL_SOCKET, SO_BUSY_POLL}, 50},
      {{SOL_SOCKET, SO_PRIORITY}, 5},
      {{SOL_SOCKET, SO_MARK}, 77},
      {{IPPROTO_TCP, TCP_KEEPIDLE}, 123},
      {{IPPROTO_TCP, TCP_KEEPINTVL}, 45},
      {{IPPROTO_TCP, TCP_KEEPCNT}, 6},
      {{IPPROTO_TCP, TCP_USER_TIMEOUT}, 9876},
      {{IPPROTO_TCP, TCP_NOTSENT_LOWAT}, 131072},
      {{IPPROTO_TCP, TCP_LINGER2}, 17},
      {{IPPROTO_TCP, TCP_WINDOW_CLAMP}, 30000},
      {{IPPROTO_TCP, TCP_TX_DELAY}, 1000},
      {{IPPROTO_TCP, 44}, 5000},
      {{IPPROTO_TCP, 45}, 100000},
      {{IPPROTO_TCP, 46}, 20000},
      {{IPPROTO_IP, IP_TOS}, 0x48},
      {{IPPROTO_IP, IP_TTL}, 33},
      {{IPPROTO_IP, IP_MINTTL}, 1},
      {{IPPROTO_IP, IP_MTU_DISCOVER}, IP_PMTUDISC_DO},
      {{IPPROTO_IPV6, IPV6_TCLASS}, 0x48},
      {{IPPROTO_IPV6, IPV6_UNICAST_HOPS}, 33},
      {{IPPROTO_IPV6, IPV6_MTU_DISCOVER}, IPV6_PMTUDISC_DO},
      {{IPPROTO_IPV6, IPV6_AUTOFLOWLABEL}, 0},
  };
  const auto at = values.find({row.level, row.name});
  return at == values.end() ? 1 : at->second;
}

Bytes strange_bytes(const OptionRow& row) {
  const auto bytes = [](const auto& value) {
    const auto* at = reinterpret_cast<const std::byte*>(&value);
    return Bytes(at, at + sizeof value);
  };
  if (row.name == TCP_CONGESTION && row.level == IPPROTO_TCP) return bytes_of("reno");
  if (row.name == SO_LINGER && row.level == SOL_SOCKET) return bytes(linger{1, 21});
  if (row.size == sizeof(timeval)) return bytes(timeval{3, 0});
  if (row.size == 8) return bytes(std::uint64_t{987'654'321});
  return bytes(strange_value(row));
}

Bytes read_option(const Fd& socket, const OptionRow& row) {
  Bytes out(row.size == 0 ? 16 : row.size);
  auto size = static_cast<socklen_t>(out.size());
  if (::getsockopt(socket.get(), row.level, row.name, out.data(), &size) != 0) return {};
  out.resize(row.size == 0 ? strnlen(reinterpret_cast<char*>(out.data()), size) : size);
  return out;
}

bool is_filter(const OptionRow& row) { return row.level == SOL_SOCKET && row.name == SO_ATTACH_FILTER; }

class Options : public testing::TestWithParam<Kind> {};
INSTANTIATE_TEST_SUITE_P(Kinds, Options, testing::Values(Kind::ipv4, Kind::ipv6, Kind::mapped),
                         [](const auto& each) { return name(each.param); });

TEST_P(Options, EachOneIsCarriedByTheMovedEndAndKeptByTheOther) {
  int tried = 0;
  for (const OptionRow& row : socket::option_table()) {
    if (is_filter(row)) continue;
    if (row.applies == Applies::to_ipv4 && GetParam() == Kind::ipv6) continue;
    if (row.applies == Applies::to_ipv6 && GetParam() == Kind::ipv4) continue;
    SCOPED_TRACE(row.text);
    TcpPair pair = connect_pair(GetParam());
    const Bytes fresh = read_option(pair.client, row);
    const Bytes value = strange_bytes(row);
    bool settable = true;
    for (const Fd* end : {&pair.client, &pair.server})
      settable = settable && ::setsockopt(end->get(), row.level, row.name, value.data(),
                                          static_cast<socklen_t>(value.size())) == 0;
    if (!settable && (errno == ENOPROTOOPT || errno == EOPNOTSUPP)) continue;  // not in this kernel
    ASSERT_TRUE(settable) << std::strerror(errno);
    const Bytes set = read_option(pair.client, row);
    ASSERT_NE(set, fresh) << "the test's value is the default";
    auto moved = swap_end(socket::real_kernel(), std::move(pair.client), pair.server, loopback(GetParam()));
    ASSERT_TRUE(moved) << moved.error().text();
    EXPECT_EQ(read_option(*moved, row), set) << "moved";
    EXPECT_EQ(read_option(pair.server, row), set) << "re-pointed";
    ++tried;
  }
  EXPECT_GT(tried, 35);
}

TEST_P(Options, FreezeAndThawLeaveThemAlone) {
  for (const OptionRow& row : socket::option_table()) {
    if (is_filter(row)) continue;
    SCOPED_TRACE(row.text);
    const TcpPair pair = connect_pair(GetParam());
    const Bytes value = strange_bytes(row);
    if (::setsockopt(pair.server.get(), row.level, row.name, value.data(),
                     static_cast<socklen_t>(value.size())) != 0)
      continue;
    const Bytes set = read_option(pair.server, row);
    auto frozen = socket::FrozenEnd::freeze(socket::real_kernel(), pair.server.duplicate());
    ASSERT_TRUE(frozen);
    ASSERT_TRUE(frozen->capture());
    ASSERT_TRUE(frozen->thaw());
    EXPECT_EQ(read_option(pair.server, row), set);
  }
}

TEST(ProgramsFilter, TravelsAndIsPutBack) {
  sock_filter accept_all[] = {BPF_STMT(BPF_LD | BPF_IMM, 1), BPF_STMT(BPF_RET | BPF_K, 0xffffffff)};
  const sock_fprog program{2, accept_all};
  TcpPair pair = connect_pair(Kind::ipv4);
  for (const Fd* end : {&pair.client, &pair.server})
    ASSERT_EQ(::setsockopt(end->get(), SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program), 0);
  {
    auto frozen = socket::FrozenEnd::freeze(socket::real_kernel(), pair.server.duplicate());
    ASSERT_TRUE(frozen);
    EXPECT_GT(filter_length(pair.server), 2U) << "ours, before the mark its own";
  }
  EXPECT_EQ(filter_length(pair.server), 2U) << "after the undo";
  auto moved = swap_end(socket::real_kernel(), std::move(pair.client), pair.server, loopback(Kind::ipv4));
  ASSERT_TRUE(moved) << moved.error().text();
  EXPECT_EQ(filter_length(*moved), 2U);
  EXPECT_EQ(filter_length(pair.server), 2U);
  EXPECT_EQ(talk(*moved, pair.server), "");
}

TEST(BufferSizes, KeepTheProgramsLocksAndTheKernelsAutoTuning) {
  TcpPair pair = connect_pair(Kind::ipv4);
  set_int(pair.client, SOL_SOCKET, SO_SNDBUF, 50'000);
  const int size = get_int(pair.client, SOL_SOCKET, SO_SNDBUF);
  fill(pair.client, 0);
  auto moved = swap_end(socket::real_kernel(), std::move(pair.client), pair.server, loopback(Kind::ipv4));
  ASSERT_TRUE(moved) << moved.error().text();
  EXPECT_EQ(get_int(*moved, SOL_SOCKET, SO_SNDBUF), size);
  EXPECT_EQ(get_int(*moved, SOL_SOCKET, SO_BUF_LOCK), 1);
  EXPECT_EQ(get_int(pair.server, SOL_SOCKET, SO_BUF_LOCK), 0);
}

}  // namespace
}  // namespace sockswap::test
