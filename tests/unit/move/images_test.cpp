#include "move/images.h"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include "support/ramp.h"

namespace sockswap::move {
namespace {

// Every field differs from its default.
socket::Image full_image() {
  using socket::Sequence;
  socket::Image image;
  image.tuple = FourTuple::parse("[fd00::1]:80-[fd00::2]:5000").value();
  image.family = AF_INET6;
  image.position = {Sequence(4'000'000'000), Sequence(4'000'000'000), Sequence(4'000'000'030), Sequence(77)};
  image.negotiated = {1440, true, true, true, 7, 9};
  image.window = {Sequence(70), 60'000, 65'000, 50'000, Sequence(60)};
  image.timestamp = 123'456;
  image.timestamp_in_usec = true;
  image.buffers = {87'380, 131'072, 3};
  image.options = {{SOL_SOCKET, SO_KEEPALIVE, bytes_of({"\1\0\0\0", 4})}, {6, 13, bytes_of("cubic")}};
  image.received = test::ramp(0, 20);
  image.unsent = test::ramp(20, 30);
  return image;
}

TEST(Images, ComeBackAsTheyWent) {
  const socket::Image image = full_image();
  wire::Image message;
  to_message(image, message);
  const auto back = from_message(message, image.received, image.unsent);
  ASSERT_TRUE(back) << back.error().text();
  EXPECT_EQ(*back, image);
}

TEST(Images, AreRefusedWhenTheyContradictThemselves) {
  const socket::Image image = full_image();
  const auto refused = [&](auto change) {
    wire::Image message;
    to_message(image, message);
    change(message);
    return !from_message(message, image.received, image.unsent).has_value();
  };
  EXPECT_FALSE(refused([](wire::Image&) {})) << "the control";
  EXPECT_TRUE(refused([](wire::Image& m) { m.set_family(5); }));
  EXPECT_TRUE(refused([](wire::Image& m) { m.set_mss_clamp(70'000); }));
  EXPECT_TRUE(refused([](wire::Image& m) { m.set_snd_wscale(300); }));
  EXPECT_TRUE(refused([](wire::Image& m) { m.clear_tuple(); }));
  EXPECT_TRUE(refused([](wire::Image& m) { m.mutable_position()->set_write_end(5); }))
      << "not as many unsent bytes";
  EXPECT_TRUE(refused([](wire::Image& m) { m.mutable_options(0)->set_value(std::string(1000, 'x')); }));
}

}  // namespace
}  // namespace sockswap::move
