// What needs no kernel: sequence numbers, sound and unsound images, reconciliation.
#include <gtest/gtest.h>
#include <linux/tcp.h>
#include <sys/socket.h>

#include <functional>

#include "socket/image.h"
#include "socket/reconcile.h"
#include "support/ramp.h"

namespace sockswap::test {
namespace {

using namespace socket;

static_assert(Sequence(5).since(Sequence(0xfffffffe)) == 7);
static_assert(Sequence(0xfffffffe).before(Sequence(5)) && Sequence(5).after(Sequence(0xfffffffe)));
static_assert(Sequence(0xfffffffe) + 7 == Sequence(5) && Sequence(5) - 7 == Sequence(0xfffffffe));

// Its send queue wraps around 2^32.
Image sound_image() {
  Image out;
  out.family = AF_INET;
  out.tuple = FourTuple::parse("10.0.0.1:80-10.0.0.2:5000").value();
  out.received = ramp(0, 100);
  out.sent = ramp(0, 300);
  out.unsent = ramp(300, 50);
  const Sequence snd_una(0xffffff80);
  out.position = {snd_una, snd_una + 300, snd_una + 350, Sequence(7000)};
  out.negotiated = {1460, true, true, true, 7, 9};
  out.window = {Sequence(6990), 1000, 2000, 4000, Sequence(6900)};
  out.buffers = {87040, 131072, 0};
  return out;
}

TEST(Validate, TakesASoundImage) { EXPECT_TRUE(validate(sound_image())); }

TEST(Validate, RefusesWhatContradictsItself) {
  const std::vector<std::pair<const char*, std::function<void(Image&)>>> faults{
      {"family", [](Image& i) { i.family = AF_UNIX; }},
      {"mixed", [](Image& i) { i.tuple.remote.address = Address::parse("::1").value(); }},
      {"v6 on v4", [](Image& i) { i.tuple = FourTuple::parse("[::1]:1-[::1]:2").value(); }},
      {"no port", [](Image& i) { i.tuple.local.port = 0; }},
      {"any address", [](Image& i) { i.tuple.local.address = {}; }},
      {"sent short", [](Image& i) { i.sent.pop_back(); }},
      {"unsent long", [](Image& i) { i.unsent.push_back({}); }},
      {"snd_nxt back", [](Image& i) { i.position.snd_nxt = i.position.snd_una - 1; }},
      {"mss", [](Image& i) { i.negotiated.mss_clamp = 0; }},
      {"scale", [](Image& i) { i.negotiated.rcv_wscale = 15; }},
      {"scale off", [](Image& i) { i.negotiated.window_scaling = false; }},
      {"max_window", [](Image& i) { i.window.max_window = 999; }},
      {"huge window", [](Image& i) { i.window.rcv_wnd = 0x80000000; }},
      {"rcv_wup", [](Image& i) { i.window.rcv_wup = i.position.rcv_nxt + 1; }},
      {"snd_wl1", [](Image& i) { i.window.snd_wl1 = i.position.rcv_nxt + 4001; }},
      {"buffer", [](Image& i) { i.buffers.send = 0x80000000; }},
      {"locks", [](Image& i) { i.buffers.locks = 4; }},
      {"unknown option",
       [](Image& i) {
         i.options = {{SOL_SOCKET, SO_BINDTODEVICE, bytes_of("eth0")}};
       }},
      {"option size",
       [](Image& i) {
         i.options = {{IPPROTO_TCP, TCP_NODELAY, bytes_of("1")}};
       }},
      {"option twice",
       [](Image& i) {
         i.options = {2, {IPPROTO_TCP, TCP_NODELAY, bytes_of(std::string_view("\1\0\0\0", 4))}};
       }},
      {"filter size",
       [](Image& i) {
         i.options = {{SOL_SOCKET, SO_ATTACH_FILTER, bytes_of("1234567")}};
       }},
  };
  for (const auto& [what, spoil] : faults) {
    Image image = sound_image();
    spoil(image);
    const auto answer = validate(image);
    ASSERT_FALSE(answer) << what;
    EXPECT_EQ(answer.error().code, ErrorCode::disagreement) << what;
  }
}

TEST(Agreement, WhatIsReceivedMustHaveBeenSentAndNotYetAcknowledged) {
  const Position a{Sequence(100), Sequence(200), Sequence(250), Sequence(1000)};
  const auto other = [](std::uint32_t rcv_nxt) {
    return Position{Sequence(1000), Sequence(1000), Sequence(1000), Sequence(rcv_nxt)};
  };
  for (const std::uint32_t inside : {100U, 150U, 200U}) {
    EXPECT_TRUE(check_agreement(a, other(inside)));
    EXPECT_TRUE(check_agreement(other(inside), a));
  }
  for (const std::uint32_t outside : {99U, 201U}) {
    EXPECT_FALSE(check_agreement(a, other(outside)));
    EXPECT_FALSE(check_agreement(other(outside), a));
  }
}

TEST(TakeInFlight, DeclaresAllOfItAcknowledgedAndKeepsTheRightEdge) {
  Image image = sound_image();
  const Sequence edge = image.position.snd_una + image.window.snd_wnd;
  const Bytes taken = take_in_flight(image);
  EXPECT_EQ(taken, ramp(0, 300));
  EXPECT_TRUE(image.sent.empty());
  EXPECT_EQ(image.position.snd_una, image.position.snd_nxt);
  EXPECT_EQ(image.position.snd_una + image.window.snd_wnd, edge);
  EXPECT_TRUE(validate(image));
}

TEST(TakeInFlight, AWindowThatWasTakenBackStopsAtZero) {
  Image image = sound_image();
  image.window.snd_wnd = 10;
  take_in_flight(image);
  EXPECT_EQ(image.window.snd_wnd, 0U);
  EXPECT_TRUE(validate(image));
}

TEST(AppendInFlight, AddsWhatIsNewAndKeepsThePromise) {
  const Image before = sound_image();
  Image image = before;
  // 40 of the 90 bytes were received already.
  ASSERT_TRUE(append_in_flight(image, before.position.rcv_nxt - 40, ramp(60, 90)));
  EXPECT_EQ(image.received, ramp(0, 150));
  EXPECT_EQ(image.position.rcv_nxt, before.position.rcv_nxt + 50);
  EXPECT_EQ(image.window, before.window);
  EXPECT_TRUE(validate(image));
}

TEST(AppendInFlight, RefusesAGapAndBytesFromNowhere) {
  Image image = sound_image();
  const Sequence here = image.position.rcv_nxt;
  EXPECT_FALSE(append_in_flight(image, here + 1, ramp(0, 10)));
  EXPECT_FALSE(append_in_flight(image, here - 11, ramp(0, 10)));
  EXPECT_TRUE(append_in_flight(image, here - 10, ramp(0, 10)));
  EXPECT_TRUE(append_in_flight(image, here, {}));
  EXPECT_EQ(image.received.size(), 100U);
}

TEST(CutSent, WhatTheOtherEndLacksIsNotYetSent) {
  for (const std::uint32_t known : {0U, 120U, 300U}) {
    Image image = sound_image();
    const Sequence edge = image.position.snd_una + image.window.snd_wnd;
    const Sequence received = image.position.snd_una + known;
    ASSERT_TRUE(cut_sent(image, received));
    EXPECT_TRUE(image.sent.empty());
    EXPECT_EQ(image.unsent, ramp(known, 350 - known));
    EXPECT_EQ(image.position.snd_una, received);
    EXPECT_EQ(image.position.snd_una + image.window.snd_wnd, edge);
    EXPECT_TRUE(validate(image));
  }
}

TEST(CutSent, RefusesWhatWasNeverSentOrLongAcknowledged) {
  Image image = sound_image();
  const Image before = image;
  EXPECT_FALSE(cut_sent(image, before.position.snd_nxt + 1));
  EXPECT_FALSE(cut_sent(image, before.position.snd_una - 1));
  EXPECT_EQ(image, before);
}

}  // namespace
}  // namespace sockswap::test
