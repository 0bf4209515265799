#include "socket/option_table.h"

#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <algorithm>
#include <cstring>

namespace sockswap::socket {
namespace {

constexpr std::uint8_t kInt = sizeof(int);
constexpr auto kNone = std::nullopt;

// linux/tcp.h has these from 6.15 and 6.18 on.
constexpr int kTcpRtoMaxMs = 44, kTcpRtoMinUs = 45, kTcpDelackMaxUs = 46;

// Not in the table:
//  SO_SNDBUF, SO_RCVBUF, SO_BUF_LOCK        sized with the queues in mind: buffers.h
//  SO_BINDTODEVICE, SO_INCOMING_CPU, SO_INCOMING_NAPI_ID, IP_UNICAST_IF, SO_TXREHASH,
//  SO_RESERVE_MEM                           names of this host's devices, processors, memory
//  SO_TIMESTAMPING, SO_TXTIME               answers come through the error queue, which stays behind
//  SO_BROADCAST, SO_NO_CHECK, SO_RXQ_OVFL, IP_PKTINFO, IP_RECVTOS, IP_RECVTTL, IPV6_RECVPKTINFO and
//  their kind                               datagram sockets only
//  IP_TRANSPARENT, IP_FREEBIND, IP_BIND_ADDRESS_NO_PORT, IP_LOCAL_PORT_RANGE, IPV6_V6ONLY,
//  IPV6_ADDR_PREFERENCES                    say how to choose an address: it is chosen
//  IP_OPTIONS, IPV6 extension headers       routes through the network that the end leaves
//  IPV6_FLOWINFO, IPV6_FLOWLABEL_MGR        labels are leased from a host
//  TCP_SYNCNT, TCP_DEFER_ACCEPT, TCP_FASTOPEN*, TCP_SAVE_SYN, TCP_MAXSEG
//                                           the handshake is over (its segment size is in Negotiated)
//  TCP_QUICKACK                             a mood of the moment, not a setting (tcp(7))
//  TCP_THIN_DUPACK                          has had no effect since 4.11
//  TCP_MD5SIG, TCP_AO_*, TCP_ULP, SO_ATTACH_BPF, SO_LOCK_FILTER
//                                           such ends don't move (check_movable)
constexpr OptionRow kTable[] = {
    {SOL_SOCKET, SO_REUSEADDR, "SO_REUSEADDR", kInt, Phase::asleep, 0},
    {SOL_SOCKET, SO_REUSEPORT, "SO_REUSEPORT", kInt, Phase::late, 0},
    {SOL_SOCKET, SO_KEEPALIVE, "SO_KEEPALIVE", kInt, Phase::asleep, 0},
    {SOL_SOCKET, SO_LINGER, "SO_LINGER", sizeof(linger), Phase::late, 0},
    {SOL_SOCKET, SO_OOBINLINE, "SO_OOBINLINE", kInt, Phase::late, 0},
    {SOL_SOCKET, SO_DONTROUTE, "SO_DONTROUTE", kInt, Phase::early, 0},
    {SOL_SOCKET, SO_MARK, "SO_MARK", kInt, Phase::early, 0},
    {SOL_SOCKET, SO_RCVLOWAT, "SO_RCVLOWAT", kInt, Phase::late, 1},
    {SOL_SOCKET, SO_RCVTIMEO, "SO_RCVTIMEO", sizeof(timeval), Phase::late, 0},
    {SOL_SOCKET, SO_SNDTIMEO, "SO_SNDTIMEO", sizeof(timeval), Phase::late, 0},
    {SOL_SOCKET, SO_PEEK_OFF, "SO_PEEK_OFF", kInt, Phase::asleep, -1},
    {SOL_SOCKET, SO_TIMESTAMP, "SO_TIMESTAMP", kInt, Phase::late, 0},
    {SOL_SOCKET, SO_TIMESTAMPNS, "SO_TIMESTAMPNS", kInt, Phase::late, 0},
    {SOL_SOCKET, SO_ZEROCOPY, "SO_ZEROCOPY", kInt, Phase::late, 0},
    {SOL_SOCKET, SO_MAX_PACING_RATE, "SO_MAX_PACING_RATE", 8, Phase::late, -1},
    {SOL_SOCKET, SO_BUSY_POLL, "SO_BUSY_POLL", kInt, Phase::late, kNone, Applies::always, IfMissing::skip},
    {SOL_SOCKET, SO_PREFER_BUSY_POLL, "SO_PREFER_BUSY_POLL", kInt, Phase::late, 0, Applies::always,
     IfMissing::skip},
    {SOL_SOCKET, SO_ATTACH_FILTER, "SO_ATTACH_FILTER", 0, Phase::late, kNone},

    {IPPROTO_TCP, TCP_NODELAY, "TCP_NODELAY", kInt, Phase::sending, 0},
    {IPPROTO_TCP, TCP_CORK, "TCP_CORK", kInt, Phase::sending, 0},
    {IPPROTO_TCP, TCP_NOTSENT_LOWAT, "TCP_NOTSENT_LOWAT", kInt, Phase::sending, 0},
    {IPPROTO_TCP, TCP_KEEPIDLE, "TCP_KEEPIDLE", kInt, Phase::late, kNone},
    {IPPROTO_TCP, TCP_KEEPINTVL, "TCP_KEEPINTVL", kInt, Phase::late, kNone},
    {IPPROTO_TCP, TCP_KEEPCNT, "TCP_KEEPCNT", kInt, Phase::late, kNone},
    {IPPROTO_TCP, TCP_USER_TIMEOUT, "TCP_USER_TIMEOUT", kInt, Phase::asleep, 0},
    {IPPROTO_TCP, TCP_LINGER2, "TCP_LINGER2", kInt, Phase::late, kNone},
    {IPPROTO_TCP, TCP_CONGESTION, "TCP_CONGESTION", 0, Phase::early, kNone, Applies::always, IfMissing::skip},
    {IPPROTO_TCP, TCP_WINDOW_CLAMP, "TCP_WINDOW_CLAMP", kInt, Phase::late, kNone},
    {IPPROTO_TCP, TCP_THIN_LINEAR_TIMEOUTS, "TCP_THIN_LINEAR_TIMEOUTS", kInt, Phase::late, 0},
    {IPPROTO_TCP, TCP_INQ, "TCP_INQ", kInt, Phase::late, 0},
    {IPPROTO_TCP, TCP_TX_DELAY, "TCP_TX_DELAY", kInt, Phase::late, 0},
    {IPPROTO_TCP, kTcpRtoMaxMs, "TCP_RTO_MAX_MS", kInt, Phase::late, kNone, Applies::always, IfMissing::skip},
    {IPPROTO_TCP, kTcpRtoMinUs, "TCP_RTO_MIN_US", kInt, Phase::late, kNone, Applies::always, IfMissing::skip},
    {IPPROTO_TCP, kTcpDelackMaxUs, "TCP_DELACK_MAX_US", kInt, Phase::late, kNone, Applies::always,
     IfMissing::skip},

    // The traffic class also sets SO_PRIORITY, which therefore comes after it.
    {IPPROTO_IP, IP_TOS, "IP_TOS", kInt, Phase::early, 0, Applies::to_ipv4},
    {IPPROTO_IP, IP_TTL, "IP_TTL", kInt, Phase::late, kNone, Applies::to_ipv4},
    {IPPROTO_IP, IP_MINTTL, "IP_MINTTL", kInt, Phase::late, 0, Applies::to_ipv4},
    {IPPROTO_IP, IP_MTU_DISCOVER, "IP_MTU_DISCOVER", kInt, Phase::early, kNone, Applies::to_ipv4},
    {IPPROTO_IP, IP_RECVERR, "IP_RECVERR", kInt, Phase::late, 0, Applies::to_ipv4},
    {IPPROTO_IPV6, IPV6_TCLASS, "IPV6_TCLASS", kInt, Phase::early, 0, Applies::to_ipv6},
    {IPPROTO_IPV6, IPV6_UNICAST_HOPS, "IPV6_UNICAST_HOPS", kInt, Phase::late, kNone, Applies::to_ipv6},
    {IPPROTO_IPV6, IPV6_MINHOPCOUNT, "IPV6_MINHOPCOUNT", kInt, Phase::late, 0, Applies::to_ipv6},
    {IPPROTO_IPV6, IPV6_MTU_DISCOVER, "IPV6_MTU_DISCOVER", kInt, Phase::early, kNone, Applies::to_ipv6},
    {IPPROTO_IPV6, IPV6_RECVERR, "IPV6_RECVERR", kInt, Phase::late, 0, Applies::to_ipv6},
    {IPPROTO_IPV6, IPV6_AUTOFLOWLABEL, "IPV6_AUTOFLOWLABEL", kInt, Phase::early, kNone, Applies::to_ipv6},
    {SOL_SOCKET, SO_PRIORITY, "SO_PRIORITY", kInt, Phase::early, 0},
};

}  // namespace

std::span<const OptionRow> option_table() { return kTable; }

Bytes fresh_value(const OptionRow& row) {
  Bytes out(row.size);
  if (row.size == sizeof(int)) {
    const int value = static_cast<int>(*row.fresh);
    std::memcpy(out.data(), &value, sizeof value);
  } else {
    std::memset(out.data(), *row.fresh == 0 ? 0 : 0xff, out.size());  // larger ones are 0 or all ones
  }
  return out;
}

}  // namespace sockswap::socket
