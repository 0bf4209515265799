// A dormant end takes and acknowledges what arrives, sends nothing of its own, and is complete.
#include <gtest/gtest.h>
#include <linux/sockios.h>
#include <linux/tcp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <cerrno>

#include "support/tcp_pair.h"
#include "swap.h"

namespace sockswap::test {
namespace {

using namespace socket;

int unacknowledged(const Fd& socket) {
  int out = -1;
  ::ioctl(socket.get(), SIOCOUTQ, &out);
  return out;
}

TEST(Dormant, RebuiltEndAcknowledgesWhatItsLiveOtherEndSends) {
  constexpr std::size_t kBefore = 5000, kAfter = 100'000;
  TcpPair pair = connect_pair(Kind::ipv4);
  fill(pair.server, 0, kBefore);
  auto frozen = freeze_both(real_kernel(), std::move(pair.client), pair.server);
  ASSERT_TRUE(frozen) << frozen.error().text();
  auto reservation = reserve(real_kernel(), AF_INET, {Address::parse("127.0.0.2").value(), 0});
  ASSERT_TRUE(reservation);
  const Place place{frozen->staying_image.tuple.local, reservation->local};
  auto moved = rebuild(real_kernel(), std::move(*reservation), frozen->moving_image, place.local);
  ASSERT_TRUE(moved) << moved.error().text();
  ASSERT_TRUE(frozen->moving.release());
  auto stayed = frozen->staying.repoint(frozen->staying_image, place);
  ASSERT_TRUE(stayed) << stayed.error().text();
  ASSERT_TRUE(stayed->thaw());

  fill(pair.server, kBefore, kAfter);
  for (int turn = 0; turn < 1000 && unacknowledged(pair.server) > 0; ++turn) ::usleep(1000);
  EXPECT_EQ(unacknowledged(pair.server), 0);
  EXPECT_EQ(get_int(Fd(::dup(moved->fd())), IPPROTO_TCP, TCP_REPAIR), 1);

  auto fd = moved->thaw();
  ASSERT_TRUE(fd) << fd.error().text();
  EXPECT_EQ(receive_ramp(*fd, 0, kBefore + kAfter), kBefore + kAfter);
  EXPECT_EQ(talk(*fd, pair.server), "");
}

TEST(Dormant, RepointedEndAcknowledgesToo) {
  constexpr std::size_t kSize = 100'000;
  TcpPair pair = connect_pair(Kind::ipv4);
  auto frozen = freeze_both(real_kernel(), std::move(pair.client), pair.server);
  ASSERT_TRUE(frozen);
  auto reservation = reserve(real_kernel(), AF_INET, {Address::parse("127.0.0.2").value(), 0});
  const Place place{frozen->staying_image.tuple.local, reservation->local};
  auto moved = rebuild(real_kernel(), std::move(*reservation), frozen->moving_image, place.local);
  ASSERT_TRUE(moved);
  ASSERT_TRUE(frozen->moving.release());
  auto stayed = frozen->staying.repoint(frozen->staying_image, place);
  ASSERT_TRUE(stayed);
  const Fd client = std::move(moved->thaw().value());
  fill(client, 0, kSize);
  for (int turn = 0; turn < 1000 && unacknowledged(client) > 0; ++turn) ::usleep(1000);
  EXPECT_EQ(unacknowledged(client), 0);
  ASSERT_TRUE(stayed->thaw());
  EXPECT_EQ(receive_ramp(pair.server, 0, kSize), kSize);
  EXPECT_EQ(talk(client, pair.server), "");
}

TEST(Dormant, DestroyingAnEndSendsNothing) {
  TcpPair pair = connect_pair(Kind::ipv4);
  auto frozen = freeze_both(real_kernel(), std::move(pair.client), pair.server);
  ASSERT_TRUE(frozen);
  auto reservation = reserve(real_kernel(), AF_INET, {Address::parse("127.0.0.2").value(), 0});
  ASSERT_TRUE(reservation);
  const Place place{frozen->staying_image.tuple.local, reservation->local};
  {
    const auto moved = rebuild(real_kernel(), std::move(*reservation), frozen->moving_image, place.local);
    ASSERT_TRUE(moved);
    ASSERT_TRUE(frozen->moving.release());
    auto stayed = frozen->staying.repoint(frozen->staying_image, place);
    ASSERT_TRUE(stayed);
    ASSERT_TRUE(stayed->thaw());
  }  // the rebuilt end goes: a FIN or RST would meet the server, which talks to it by now
  std::byte byte{};
  EXPECT_EQ(::recv(pair.server.get(), &byte, 1, MSG_DONTWAIT), -1);
  EXPECT_EQ(errno, EAGAIN);
}

TEST(Dormant, AMoveThatIsUndoneLeavesTheOldEndsAsTheyWere) {
  TcpPair pair = connect_pair(Kind::ipv4);
  {
    auto frozen = freeze_both(real_kernel(), pair.client.duplicate(), pair.server);
    ASSERT_TRUE(frozen);
    auto reservation = reserve(real_kernel(), AF_INET, {Address::parse("127.0.0.2").value(), 0});
    ASSERT_TRUE(rebuild(real_kernel(), std::move(*reservation), frozen->moving_image,
                        frozen->staying_image.tuple.local));
  }
  EXPECT_EQ(talk(pair.client, pair.server), "");
}

}  // namespace
}  // namespace sockswap::test
