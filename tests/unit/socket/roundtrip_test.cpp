// Capture, rebuild, capture again: the two images are the same but for a named list.
#include <gtest/gtest.h>
#include <linux/tcp.h>
#include <sys/socket.h>

#include "support/tcp_pair.h"
#include "swap.h"

namespace sockswap::test {
namespace {

using namespace socket;

// What may differ, and why.
Image without_the_named(Image image) {
  image.tuple = {};           // it lives elsewhere
  image.timestamp = 0;        // a clock
  image.window.snd_wl1 = {};  // set by the window probe that ends repair mode
  return image;
}

std::vector<std::string> differences(const Image& before, const Image& after) {
  const Image a = without_the_named(before), b = without_the_named(after);
  std::vector<std::string> out;
  const auto compare = [&](const char* field, bool same) {
    if (!same) out.emplace_back(field);
  };
  compare("family", a.family == b.family);
  compare("position", a.position == b.position);
  compare("negotiated", a.negotiated == b.negotiated);
  compare("window", a.window == b.window);
  compare("timestamp_in_usec", a.timestamp_in_usec == b.timestamp_in_usec);
  compare("buffers", a.buffers == b.buffers);
  compare("options", a.options == b.options);
  compare("received", a.received == b.received);
  compare("sent", a.sent == b.sent);
  compare("unsent", a.unsent == b.unsent);
  EXPECT_EQ(out.empty(), a == b) << "a field of Image is not compared";
  return out;
}

// Captures an end with bytes in all three queues, lets `alter` change what is rebuilt, and gives the
// image as captured before that, and the image of the rebuilt and thawed end.
struct Roundtrip {
  Image before, after;
};

template <class Alter>
Result<Roundtrip> roundtrip(Kind kind, Alter alter) {
  TcpPair pair = connect_pair(kind);
  set_int(pair.client, IPPROTO_TCP, TCP_USER_TIMEOUT, 12345);
  set_int(pair.client, SOL_SOCKET, SO_KEEPALIVE, 1);
  set_int(pair.client, SOL_SOCKET, SO_SNDBUF, 600'000);
  fill(pair.server, 0, 5000);
  {
    const Blackhole at_server(pair.server);
    fill(pair.client, 0);
  }
  SOCKSWAP_TRY(FrozenEnd moving, FrozenEnd::freeze(real_kernel(), std::move(pair.client)));
  SOCKSWAP_TRY(FrozenEnd staying, FrozenEnd::freeze(real_kernel(), pair.server.duplicate()));
  SOCKSWAP_TRY(Image before, moving.capture());
  SOCKSWAP_TRY(const Image other, staying.capture());
  before.window.snd_wnd = 0;  // so that thawing it sends nothing that would change it
  Image altered = before;
  alter(altered);
  SOCKSWAP_TRY(Reservation reservation, reserve(real_kernel(), before.family, loopback(kind)));
  const Place place{other.tuple.local, reservation.local};
  SOCKSWAP_TRY(DormantEnd rebuilt, rebuild(real_kernel(), std::move(reservation), altered, place.local));
  SOCKSWAP_CHECK(moving.release());
  // Somebody must be there, or the probe is answered by RST; but nothing must come back.
  SOCKSWAP_TRY(const DormantEnd there, staying.repoint(other, place));
  const Blackhole at_there(pair.server);
  SOCKSWAP_TRY(Fd fd, rebuilt.thaw());
  const Blackhole at_here(fd);
  {
    const int ignored = 0;  // freeze() would take the test's filter for the program's own
    ::setsockopt(fd.get(), SOL_SOCKET, SO_DETACH_FILTER, &ignored, sizeof ignored);
  }
  SOCKSWAP_TRY(FrozenEnd again, FrozenEnd::freeze(real_kernel(), std::move(fd)));
  SOCKSWAP_TRY(Image after, again.capture());
  SOCKSWAP_CHECK(again.release());
  return Roundtrip{std::move(before), std::move(after)};
}

class RoundTrip : public testing::TestWithParam<Kind> {};
INSTANTIATE_TEST_SUITE_P(Kinds, RoundTrip, testing::Values(Kind::ipv4, Kind::ipv6, Kind::mapped),
                         [](const auto& each) { return name(each.param); });

TEST_P(RoundTrip, CaptureRebuildCaptureGivesTheSameImage) {
  const auto both = roundtrip(GetParam(), [](Image&) {});
  ASSERT_TRUE(both) << both.error().text();
  EXPECT_EQ(both->before.received.size(), 5000U);
  EXPECT_FALSE(both->before.sent.empty());
  EXPECT_FALSE(both->before.unsent.empty());
  EXPECT_GE(both->before.options.size(), 2U);
  EXPECT_EQ(differences(both->before, both->after), std::vector<std::string>{});
}

// Its clock is set to go on from where it was: with one that went back the other end would drop what it sends
// (RFC 7323, section 5).
TEST_P(RoundTrip, TheTimestampsGoOn) {
  const auto images = roundtrip(GetParam(), [](Image&) {});
  ASSERT_TRUE(images) << images.error().text();
  ASSERT_TRUE(images->before.negotiated.timestamps);
  const std::uint32_t a_minute = images->before.timestamp_in_usec ? 60'000'000 : 60'000;
  EXPECT_LT(images->after.timestamp - images->before.timestamp, a_minute);
}

// Negative controls: a rebuilt end that is not as captured is seen to differ, and where.
TEST_P(RoundTrip, OneWrongByteShows) {
  const auto both = roundtrip(GetParam(), [](Image& image) { image.received[17] ^= std::byte{1}; });
  ASSERT_TRUE(both) << both.error().text();
  EXPECT_EQ(differences(both->before, both->after), std::vector<std::string>{"received"});
}

TEST_P(RoundTrip, AWrongScaleShows) {
  const auto both = roundtrip(GetParam(), [](Image& image) { ++image.negotiated.snd_wscale; });
  ASSERT_TRUE(both) << both.error().text();
  EXPECT_EQ(differences(both->before, both->after), std::vector<std::string>{"negotiated"});
}

TEST_P(RoundTrip, AMissingOptionShows) {
  const auto both = roundtrip(GetParam(), [](Image& image) {
    std::erase_if(image.options, [](const Option& each) { return each.name == TCP_USER_TIMEOUT; });
  });
  ASSERT_TRUE(both) << both.error().text();
  EXPECT_EQ(differences(both->before, both->after), std::vector<std::string>{"options"});
}

}  // namespace
}  // namespace sockswap::test
