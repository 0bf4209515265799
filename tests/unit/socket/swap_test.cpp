// Whole moves: each kind of address, each state of the queues.
#include "swap.h"

#include <gtest/gtest.h>
#include <linux/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "support/ramp.h"
#include "support/tcp_pair.h"

namespace sockswap::test {
namespace {

using socket::real_kernel;

Endpoint elsewhere(Kind kind) {
  Endpoint out = loopback(kind);
  if (kind != Kind::ipv6) out.address = Address::parse("127.0.0.2").value();
  return out;
}

tcp_info info_of(const Fd& socket) {
  tcp_info out{};
  socklen_t size = sizeof out;
  ::getsockopt(socket.get(), IPPROTO_TCP, TCP_INFO, &out, &size);
  return out;
}

class Swap : public testing::TestWithParam<Kind> {
 protected:
  TcpPair pair = connect_pair(GetParam());

  void swap() {
    auto moved = swap_end(real_kernel(), std::move(pair.client), pair.server, elsewhere(GetParam()));
    ASSERT_TRUE(moved) << moved.error().text();
    pair.client = std::move(*moved);
    EXPECT_EQ(local_of(pair.client), remote_of(pair.server));
    EXPECT_EQ(local_of(pair.server), remote_of(pair.client));
  }
  void expect_no_retransmission() const {
    for (const Fd* end : {&pair.client, &pair.server}) {
      EXPECT_EQ(info_of(*end).tcpi_total_retrans, 0U);
      EXPECT_EQ(info_of(*end).tcpi_backoff, 0U);
    }
  }
};

INSTANTIATE_TEST_SUITE_P(Kinds, Swap, testing::Values(Kind::ipv4, Kind::ipv6, Kind::mapped),
                         [](const auto& each) { return name(each.param); });

TEST_P(Swap, IdleEndsTalkOn) {
  ASSERT_EQ(talk(pair.client, pair.server), "");
  swap();
  EXPECT_EQ(talk(pair.client, pair.server), "");
  expect_no_retransmission();
}

TEST_P(Swap, UnreadBytesTravel) {
  constexpr std::size_t kSize = 50'000;
  send_ramp(pair.server, 0, kSize);
  send_ramp(pair.client, 0, kSize);
  swap();
  EXPECT_EQ(receive_ramp(pair.client, 0, kSize), kSize);
  EXPECT_EQ(receive_ramp(pair.server, 0, kSize), kSize);
  EXPECT_EQ(talk(pair.client, pair.server), "");
}

TEST_P(Swap, FullQueuesBothWaysTravel) {
  const std::size_t up = fill(pair.client, 0);
  const std::size_t down = fill(pair.server, 0);
  swap();
  EXPECT_EQ(receive_ramp(pair.client, 0, down), down);
  EXPECT_EQ(receive_ramp(pair.server, 0, up), up);
  EXPECT_EQ(talk(pair.client, pair.server), "");
}

TEST_P(Swap, FarMoreUnsentBytesThanADefaultBufferTravel) {
  constexpr std::size_t kSize = 40 << 20;  // the receiver's buffer holds at most tcp_rmem[2] of them
  send_ramp(pair.client, 0, kSize);
  int unsent = 0;
  {
    auto frozen = socket::FrozenEnd::freeze(real_kernel(), pair.client.duplicate());
    ASSERT_TRUE(frozen);
    unsent = static_cast<int>(frozen->capture()->unsent.size());
  }
  ASSERT_GE(unsent, 4 << 20);
  swap();
  EXPECT_EQ(receive_ramp(pair.server, 0, kSize), kSize);
  EXPECT_EQ(talk(pair.client, pair.server), "");
}

TEST_P(Swap, AClosedWindowOpensAgain) {
  set_int(pair.client, SOL_SOCKET, SO_RCVBUF, 32768);
  const std::size_t down = fill(pair.server, 0);
  swap();
  EXPECT_EQ(receive_ramp(pair.client, 0, down), down);
  EXPECT_EQ(talk(pair.client, pair.server), "");
}

TEST_P(Swap, SegmentsLostInFlightNeedNoRetransmission) {
  constexpr std::size_t kSize = 20'000;
  {
    const Blackhole at_client(pair.client), at_server(pair.server);
    fill(pair.client, 0, kSize);
    fill(pair.server, 0, kSize);
  }
  swap();
  EXPECT_EQ(receive_ramp(pair.server, 0, kSize), kSize);
  EXPECT_EQ(receive_ramp(pair.client, 0, kSize), kSize);
  expect_no_retransmission();
  EXPECT_EQ(talk(pair.client, pair.server), "");
}

// The negative control of the test above: without the reconciliation the bytes come only by
// retransmission.
TEST_P(Swap, WithoutReconciliationLostSegmentsAreRetransmitted) {
  constexpr std::size_t kSize = 20'000;
  {
    const Blackhole at_server(pair.server);
    fill(pair.client, 0, kSize);
  }
  auto client = socket::FrozenEnd::freeze(real_kernel(), pair.client.duplicate());
  ASSERT_TRUE(client);
  const auto image = client->capture();
  ASSERT_TRUE(image) << image.error().text();
  ASSERT_EQ(image->sent.size(), kSize);
  ASSERT_TRUE(client->thaw());
  EXPECT_EQ(receive_ramp(pair.server, 0, kSize), kSize);
  EXPECT_GT(info_of(pair.client).tcpi_total_retrans, 0U);
}

TEST_P(Swap, SegmentSizeAndWindowScalesArePreserved) {
  ASSERT_EQ(talk(pair.client, pair.server), "");
  constexpr std::uint32_t kLargest = 32767 - 12;  // TCP_MAXSEG takes no more; 12 for timestamps
  const tcp_info client = info_of(pair.client), server = info_of(pair.server);
  swap();
  ASSERT_EQ(talk(pair.client, pair.server), "");
  for (const auto& [before, end] : {std::pair(client, &pair.client), std::pair(server, &pair.server)}) {
    const tcp_info after = info_of(*end);
    EXPECT_GE(after.tcpi_snd_mss, std::min(before.tcpi_snd_mss, kLargest));
    EXPECT_EQ(after.tcpi_snd_wscale, before.tcpi_snd_wscale);
    EXPECT_EQ(after.tcpi_rcv_wscale, before.tcpi_rcv_wscale);
    EXPECT_EQ(after.tcpi_options & (TCPI_OPT_SACK | TCPI_OPT_TIMESTAMPS | TCPI_OPT_WSCALE),
              before.tcpi_options & (TCPI_OPT_SACK | TCPI_OPT_TIMESTAMPS | TCPI_OPT_WSCALE));
  }
}

// A program that has shut the receiving direction reads the end of the stream, and sends on.
TEST_P(Swap, AShutReceivingDirectionStaysShut) {
  for (const Fd* end : {&pair.client, &pair.server}) ASSERT_EQ(::shutdown(end->get(), SHUT_RD), 0);
  fill(pair.client, 0, 100);
  swap();
  for (const Fd* end : {&pair.client, &pair.server}) {
    fill(*end, 100, 100);
    Bytes unread(1000);
    while (::recv(end->get(), unread.data(), unread.size(), MSG_DONTWAIT) > 0) {
    }
    EXPECT_EQ(::recv(end->get(), unread.data(), 1, MSG_DONTWAIT), 0);
  }
}

TEST_P(Swap, EpollRegistrationsSurvive) {
  const Fd epoll(::epoll_create1(EPOLL_CLOEXEC));
  epoll_event wanted{EPOLLIN | EPOLLRDHUP, {.u64 = 7}};
  ASSERT_EQ(::epoll_ctl(epoll.get(), EPOLL_CTL_ADD, pair.server.get(), &wanted), 0);
  swap();
  epoll_event seen{};
  EXPECT_EQ(::epoll_wait(epoll.get(), &seen, 1, 0), 0) << "events " << seen.events;
  fill(pair.client, 0, 100);
  ASSERT_EQ(::epoll_wait(epoll.get(), &seen, 1, 10'000), 1);
  EXPECT_EQ(seen.data.u64, 7U);
  EXPECT_EQ(seen.events, unsigned{EPOLLIN});
}

}  // namespace
}  // namespace sockswap::test
