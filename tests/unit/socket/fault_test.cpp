// Every system call of every step fails once. What must hold: an Error, no descriptor lost, and a
// connection that goes on byte for byte; after the commit, a second try that succeeds.
#include <gtest/gtest.h>
#include <linux/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <optional>

#include "failing_kernel.h"
#include "support/ramp.h"
#include "support/tcp_pair.h"
#include "swap.h"

namespace sockswap::test {
namespace {

using namespace socket;

constexpr std::size_t kQueued = 3000;
constexpr int kTooMany = 1000;  // calls; a step makes some 60

// A pair with bytes unread at both ends, and bytes lost on the way in both directions.
struct Loaded {
  TcpPair pair = connect_pair(Kind::ipv4);
  std::size_t up = 0, down = 0;  // bytes written
  Loaded() {
    up = fill(pair.client, 0, kQueued);
    down = fill(pair.server, 0, kQueued);
    set_int(pair.server, SOL_SOCKET, SO_KEEPALIVE, 1);
    set_int(pair.server, SOL_SOCKET, SO_REUSEADDR, 1);
  }
  // More than the first congestion window, so that some of it stays unsent.
  void lose_some() {
    const Blackhole at_client(pair.client), at_server(pair.server);
    up += fill(pair.client, up);
    down += fill(pair.server, down);
  }
  void expect_whole() {
    EXPECT_EQ(receive_ramp(pair.server, 0, up), up);
    EXPECT_EQ(receive_ramp(pair.client, 0, down), down);
    EXPECT_EQ(talk(pair.client, pair.server), "");
    EXPECT_EQ(get_int(pair.server, SOL_SOCKET, SO_KEEPALIVE), 1);
    EXPECT_EQ(get_int(pair.server, SOL_SOCKET, SO_REUSEADDR), 1);
  }
};

// Runs `step(kernel, n)` for n = 1, 2, … until no call is left to fail.
template <class Step>
void for_each_fault(Step step) {
  const std::size_t descriptors = open_descriptors();
  int n = 1;
  for (bool reached = true; reached; ++n) {
    ASSERT_LT(n, kTooMany);
    SCOPED_TRACE(testing::Message() << "call " << n);
    reached = step(n);
    EXPECT_EQ(open_descriptors(), descriptors);
    if (testing::Test::HasFailure()) return;
  }
  EXPECT_GT(n, 3) << "the step made hardly any call";
}

TEST(Fault, FreezeFailsWithoutATrace) {
  for_each_fault([](int n) {
    Loaded loaded;
    FailingKernel kernel;
    kernel.fail_at(n);
    bool failed = false;
    {
      const auto frozen = FrozenEnd::freeze(kernel, loaded.pair.server.duplicate());
      failed = kernel.failed();
      EXPECT_EQ(bool(frozen), !failed);
      kernel.fail_at(0);
    }
    loaded.expect_whole();
    return failed;
  });
}

TEST(Fault, CaptureFailsAndTheEndCanStillBeCapturedAndThawed) {
  for_each_fault([](int n) {
    Loaded loaded;
    FailingKernel kernel;
    auto frozen = FrozenEnd::freeze(kernel, loaded.pair.server.duplicate());
    EXPECT_TRUE(frozen);
    kernel.fail_at(n);
    const auto image = frozen->capture();
    const bool failed = kernel.failed();
    EXPECT_EQ(bool(image), !failed);
    kernel.fail_at(0);
    EXPECT_TRUE(frozen->capture());
    EXPECT_TRUE(frozen->thaw());
    loaded.expect_whole();
    return failed;
  });
}

TEST(Fault, ThawFailsAndIsTriedAgain) {
  for_each_fault([](int n) {
    Loaded loaded;
    FailingKernel kernel;
    auto frozen = FrozenEnd::freeze(kernel, loaded.pair.server.duplicate());
    EXPECT_TRUE(frozen);
    kernel.fail_at(n);
    const auto thawed = frozen->thaw();
    const bool failed = kernel.failed();
    EXPECT_TRUE(thawed || failed);  // without a mark while it opens, if that was what failed
    EXPECT_TRUE(frozen->thaw());
    loaded.expect_whole();
    return failed;
  });
}

TEST(Fault, RebuildFailsAndBothEndsGoOnWhereTheyWere) {
  for_each_fault([](int n) {
    Loaded loaded;
    FailingKernel kernel;
    bool failed = false;
    {
      auto frozen = freeze_both(real_kernel(), loaded.pair.client.duplicate(), loaded.pair.server);
      EXPECT_TRUE(frozen);
      kernel.fail_at(n);
      auto reservation = reserve(kernel, AF_INET, {Address::parse("127.0.0.2").value(), 0});
      if (reservation) {
        const auto dormant =
            rebuild(kernel, std::move(*reservation), frozen->moving_image, frozen->staying_image.tuple.local);
        EXPECT_EQ(bool(dormant), !kernel.failed());
      }
      failed = kernel.failed();
    }
    loaded.expect_whole();
    return failed;
  });
}

// After the commit: `fault` fails one call of one step, which is then done again.
enum class After { repoint, thaw_staying, thaw_moved, release };

bool move_with_fault(After where, int n) {
  Loaded loaded;
  loaded.lose_some();
  FailingKernel kernel;
  const auto arm = [&](After here) { kernel.fail_at(here == where ? n : 0); };
  bool failed = false;
  {
    auto frozen = freeze_both(kernel, std::move(loaded.pair.client), loaded.pair.server);
    EXPECT_TRUE(frozen) << frozen.error().text();
    auto reservation = reserve(kernel, AF_INET, {Address::parse("127.0.0.2").value(), 0});
    const Place place{frozen->staying_image.tuple.local, reservation->local};
    EXPECT_FALSE(frozen->moving_image.unsent.empty());
    auto moved = rebuild(kernel, std::move(*reservation), frozen->moving_image, place.local);
    EXPECT_TRUE(moved) << moved.error().text();

    const auto twice = [&](After here, auto step) {
      arm(here);
      auto done = step();
      if (here != where) {
        EXPECT_TRUE(done) << done.error().text();
        return done;
      }
      failed = kernel.failed();
      EXPECT_TRUE(done || failed);  // without a mark, if that was what failed
      if (!done) {
        kernel.fail_at(0);
        done = step();
        EXPECT_TRUE(done) << "second try: " << done.error().text();
      }
      return done;
    };
    twice(After::release, [&] { return frozen->moving.release(); });
    auto stayed =
        twice(After::repoint, [&] { return frozen->staying.repoint(frozen->staying_image, place); });
    if (!stayed) return false;
    twice(After::thaw_staying, [&] { return stayed->thaw(); });
    auto fd = twice(After::thaw_moved, [&] { return moved->thaw(); });
    if (!fd) return false;
    loaded.pair.client = std::move(*fd);
  }
  loaded.expect_whole();
  return failed;
}

TEST(Fault, ReleaseSucceedsAtTheSecondTry) {
  for_each_fault([](int n) { return move_with_fault(After::release, n); });
}
TEST(Fault, RepointSucceedsAtTheSecondTry) {
  for_each_fault([](int n) { return move_with_fault(After::repoint, n); });
}
TEST(Fault, ThawOfTheStayingEndSucceedsAtTheSecondTry) {
  for_each_fault([](int n) { return move_with_fault(After::thaw_staying, n); });
}
TEST(Fault, ThawOfTheMovedEndSucceedsAtTheSecondTry) {
  for_each_fault([](int n) { return move_with_fault(After::thaw_moved, n); });
}

// A kernel that runs out of memory when some of the unsent bytes are written.
class OutOfMemory : public FailingKernel {
 public:
  ssize_t send(int fd, const void* from, size_t size, int flags) override {
    if (!full_) return FailingKernel::send(fd, from, size, flags);
    if (*full_ == 0) {
      errno = ENOMEM;
      return -1;
    }
    const ssize_t took = FailingKernel::send(fd, from, std::min(size, *full_), flags);
    if (took > 0) *full_ -= static_cast<std::size_t>(took);
    return took;
  }
  void fill_up_after(std::size_t bytes) { full_ = bytes; }

 private:
  std::optional<std::size_t> full_;
};

// Otherwise what the program writes next would follow a hole in the stream.
TEST(Fault, AThawThatIsGivenUpHalfWayLeavesNoConnectionToWriteTo) {
  Loaded loaded;
  loaded.lose_some();
  OutOfMemory kernel;
  auto frozen = freeze_both(kernel, std::move(loaded.pair.client), loaded.pair.server);
  ASSERT_TRUE(frozen) << frozen.error().text();
  ASSERT_GT(frozen->staying_image.unsent.size(), 2000u);
  auto reservation = reserve(real_kernel(), AF_INET, {Address::parse("127.0.0.2").value(), 0});
  ASSERT_TRUE(reservation);
  const Place place{frozen->staying_image.tuple.local, reservation->local};
  // Somebody is there: a reset would do as well what is to be done here.
  const auto moved = rebuild(real_kernel(), std::move(*reservation), frozen->moving_image, place.local);
  ASSERT_TRUE(moved) << moved.error().text();
  {
    auto stayed = frozen->staying.repoint(frozen->staying_image, place);
    ASSERT_TRUE(stayed) << stayed.error().text();
    kernel.fill_up_after(1000);
    ASSERT_FALSE(stayed->thaw());
  }
  EXPECT_EQ(::send(loaded.pair.server.get(), "x", 1, MSG_DONTWAIT | MSG_NOSIGNAL), -1);
  EXPECT_EQ(errno, EPIPE);
  EXPECT_EQ(get_int(loaded.pair.server, IPPROTO_TCP, TCP_REPAIR), 0);
}

TEST(Fault, AnEndThatIsTornAndGivenUpIsUnconnectedNeverHalfAConnection) {
  Loaded loaded;
  FailingKernel kernel;
  {
    auto frozen = freeze_both(kernel, loaded.pair.client.duplicate(), loaded.pair.server);
    ASSERT_TRUE(frozen);
    const Place place{frozen->staying_image.tuple.local, {Address::parse("127.0.0.2").value(), 4711}};
    kernel.fail_at(12);
    ASSERT_FALSE(frozen->staying.repoint(frozen->staying_image, place));
    EXPECT_FALSE(frozen->staying.thaw());
    EXPECT_FALSE(frozen->staying.capture());
  }
  std::byte byte{};
  EXPECT_EQ(::recv(loaded.pair.server.get(), &byte, 1, MSG_DONTWAIT), -1);
  EXPECT_EQ(errno, ENOTCONN);
}

}  // namespace
}  // namespace sockswap::test
