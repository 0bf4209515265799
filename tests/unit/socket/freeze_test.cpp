// A frozen end: neither sends nor receives, doesn't die of its own timers, and thaws as it was.
#include <gtest/gtest.h>
#include <linux/sockios.h>
#include <linux/tcp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>

#include "failing_kernel.h"
#include "support/ramp.h"
#include "support/tcp_pair.h"
#include "swap.h"

namespace sockswap::test {
namespace {

using namespace socket;

int unread(const Fd& socket) {
  int out = -1;
  ::ioctl(socket.get(), SIOCINQ, &out);
  return out;
}

TEST(Freeze, ReceivesNothingUntilThawed) {
  TcpPair pair = connect_pair(Kind::ipv4);
  auto frozen = FrozenEnd::freeze(real_kernel(), pair.server.duplicate());
  ASSERT_TRUE(frozen);
  fill(pair.client, 0, 1000);
  EXPECT_EQ(unread(pair.server), 0);
  ASSERT_TRUE(frozen->thaw());
  EXPECT_EQ(receive_ramp(pair.server, 0, 1000), 1000U);
}

TEST(Freeze, SendsNothingOfItsOwnThoughTheOtherEndWouldTakeIt) {
  TcpPair pair = connect_pair(Kind::ipv4);
  // The other end's window is opened wide, and then isn't what holds bytes back: that is the pacing timer.
  constexpr std::size_t piece = 50'000, before = 40 * piece;
  for (std::size_t at = 0; at < before; at += piece) {
    send_ramp(pair.client, at, piece);
    ASSERT_EQ(receive_ramp(pair.server, at, piece), piece);
  }
  set_int(pair.client, SOL_SOCKET, SO_MAX_PACING_RATE, 4 << 20);
  std::size_t written = 0;
  {
    const Blackhole at_server(pair.server);
    written = fill(pair.client, before);
  }
  auto frozen = FrozenEnd::freeze(real_kernel(), pair.client.duplicate());
  ASSERT_TRUE(frozen);
  const auto first = frozen->capture();
  ASSERT_TRUE(first);
  ASSERT_FALSE(first->unsent.empty());
  ASSERT_GT(first->window.snd_wnd, first->sent.size()) << "the image has the real window, not the freeze's";
  ::usleep(50'000);  // pacing timers and deferred transmissions would have run by now
  const auto second = frozen->capture();
  ASSERT_TRUE(second);
  EXPECT_EQ(first->position, second->position);
  EXPECT_EQ(first->window.snd_wnd, second->window.snd_wnd);
  ASSERT_TRUE(frozen->thaw());
  EXPECT_EQ(receive_ramp(pair.server, before, written), written);
}

// After a second of silence one probe, and a second later the end.
void give_impatient_keep_alive(const Fd& end) {
  set_int(end, SOL_SOCKET, SO_KEEPALIVE, 1);
  for (const int option : {TCP_KEEPIDLE, TCP_KEEPINTVL, TCP_KEEPCNT}) set_int(end, IPPROTO_TCP, option, 1);
}

// tests/contract/tcp_user_timeout.cpp shows that it would die otherwise.
TEST(Freeze, OutlivesAShortUserTimeoutAndAnImpatientKeepAlive) {
  TcpPair pair = connect_pair(Kind::ipv4);
  for (const Fd* end : {&pair.client, &pair.server}) {
    set_int(*end, IPPROTO_TCP, TCP_USER_TIMEOUT, 100);
    give_impatient_keep_alive(*end);
  }
  {
    const Blackhole at_client(pair.client), at_server(pair.server);
    fill(pair.client, 0, 1000);
    fill(pair.server, 0, 1000);
  }
  auto frozen = freeze_both(real_kernel(), std::move(pair.client), pair.server);
  ASSERT_TRUE(frozen) << frozen.error().text();
  ::sleep(3);
  auto moved = move_frozen(real_kernel(), std::move(*frozen), loopback(Kind::ipv4));
  ASSERT_TRUE(moved) << moved.error().text();
  EXPECT_EQ(get_int(*moved, IPPROTO_TCP, TCP_USER_TIMEOUT), 100);
  EXPECT_EQ(receive_ramp(*moved, 0, 1000), 1000U);
  EXPECT_EQ(receive_ramp(pair.server, 0, 1000), 1000U);
}

// Nobody answers its probes meanwhile: the other end is frozen too.
TEST(Freeze, OutlivesAnImpatientKeepAliveAndThaws) {
  TcpPair pair = connect_pair(Kind::ipv4);
  for (const Fd* end : {&pair.client, &pair.server}) give_impatient_keep_alive(*end);
  {
    const auto frozen = freeze_both(real_kernel(), pair.client.duplicate(), pair.server);
    ASSERT_TRUE(frozen) << frozen.error().text();
    ::sleep(3);
  }  // both thaw
  EXPECT_EQ(get_int(pair.server, SOL_SOCKET, SO_KEEPALIVE), 1);
  EXPECT_EQ(talk(pair.client, pair.server), "");
}

TEST(Freeze, GivesBackWhatRepairModeOverwrites) {
  for (const int reuse : {0, 1}) {
    TcpPair pair = connect_pair(Kind::ipv4);
    set_int(pair.server, SOL_SOCKET, SO_REUSEADDR, reuse);
    {
      const auto frozen = FrozenEnd::freeze(real_kernel(), pair.server.duplicate());
      ASSERT_TRUE(frozen);
    }  // the destructor thaws, too
    EXPECT_EQ(get_int(pair.server, SOL_SOCKET, SO_REUSEADDR), reuse);
    EXPECT_EQ(get_int(pair.server, IPPROTO_TCP, TCP_REPAIR), 0);
    EXPECT_EQ(talk(pair.client, pair.server), "");
  }
}

TEST(Freeze, PeekingLeavesTheProgramsPeekOffsetAlone) {
  TcpPair pair = connect_pair(Kind::ipv4);
  fill(pair.client, 0, 1000);
  set_int(pair.server, SOL_SOCKET, SO_PEEK_OFF, 100);
  auto frozen = FrozenEnd::freeze(real_kernel(), pair.server.duplicate());
  ASSERT_TRUE(frozen);
  const auto image = frozen->capture();
  ASSERT_TRUE(image) << image.error().text();
  EXPECT_EQ(image->received, ramp(0, 1000));
  ASSERT_TRUE(frozen->thaw());
  EXPECT_EQ(get_int(pair.server, SOL_SOCKET, SO_PEEK_OFF), 100);
}

TEST(Capture, RefusesAFinThatCameInMeanwhile) {
  TcpPair pair = connect_pair(Kind::ipv4);
  ASSERT_EQ(::shutdown(pair.client.get(), SHUT_WR), 0);
  auto frozen = FrozenEnd::freeze(real_kernel(), pair.server.duplicate());
  ASSERT_TRUE(frozen);
  const auto image = frozen->capture();
  ASSERT_FALSE(image);
  EXPECT_EQ(image.error().code, ErrorCode::not_movable);
}

TEST(Capture, AskedForMoreRoomTakesTheUnacknowledgedTail) {
  TcpPair pair = connect_pair(Kind::ipv4);
  {
    const Blackhole at_server(pair.server);
    fill(pair.client, 0, 1000);
  }
  FailingKernel kernel;
  auto frozen = FrozenEnd::freeze(kernel, pair.client.duplicate());
  ASSERT_TRUE(frozen);
  // The kernel answers EFAULT where its first segment was acknowledged in part.
  int peeks = 0;
  for (int call = 1; call < 40; ++call) {
    kernel.fail_at(call, EFAULT);
    const auto image = frozen->capture();
    if (!image) continue;
    if (!kernel.failed()) break;
    ++peeks;
    EXPECT_EQ(image->sent, ramp(0, 1000));
  }
  EXPECT_EQ(peeks, 1);
}

TEST(Release, IsSilentAndTurnsTheSocketIntoAnUnconnectedOneForAllItsHolders) {
  const TcpPair pair = connect_pair(Kind::ipv4);
  auto frozen = FrozenEnd::freeze(real_kernel(), pair.client.duplicate());
  ASSERT_TRUE(frozen);
  ASSERT_TRUE(frozen->release());
  std::byte byte{};
  EXPECT_EQ(::recv(pair.client.get(), &byte, 1, MSG_DONTWAIT), -1);
  EXPECT_EQ(errno, ENOTCONN);
  EXPECT_EQ(get_int(pair.client, SOL_SOCKET, SO_ERROR), 0);
  // The other end, live and listening all the time, has seen neither FIN nor RST.
  EXPECT_EQ(::recv(pair.server.get(), &byte, 1, MSG_DONTWAIT), -1);
  EXPECT_EQ(errno, EAGAIN);
}

}  // namespace
}  // namespace sockswap::test
