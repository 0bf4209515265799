#include <atomic>

#include "fixture.h"
#include "raw_peer.h"

namespace sockswap::mesh {
namespace {

class LimitsTest : public MeshTest {
 protected:
  void SetUp() override {
    cluster.add("alpha", 1);
    cluster.add("beta", 2);
  }
  const Endpoint to_alpha{address_of_host(1), cluster::default_port};
};

TEST_F(LimitsTest, SilentConnectionsDontKeepTheGoodOnesOut) {
  MeshLimits limits;
  limits.half_open = 4;
  const auto alpha = start("alpha", limits), beta = start("beta");
  std::vector<RawPeer> silent;
  for (int i = 0; i < 20; ++i) silent.push_back(RawPeer::connect(to_alpha));
  run_until([&] { return alpha->refused.size() == 16; });
  for (const Error& error : alpha->refused) EXPECT_EQ(error.code, ErrorCode::no_resources);
  expect_delivery(*beta, *alpha);
}

// Whoever dials from an address of no host's takes no place from those who dial from a host's.
TEST_F(LimitsTest, StrangersDontPushHostsOut) {
  MeshLimits limits;
  limits.half_open = 4;
  const auto alpha = start("alpha", limits);
  const cluster::Identity identity = cluster.identity("beta");
  std::atomic<bool> flooded = false;
  const Beside beta([&] {
    RawPeer peer = RawPeer::connect(to_alpha, address_of_host(2));
    while (!flooded) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    EXPECT_TRUE(peer.secure_as_client({.identity = &identity}));
    peer.send(RawPeer::hello("beta"));
    const auto hello = peer.receive();
    EXPECT_TRUE(hello && hello->has_hello());
  });
  run_for(std::chrono::milliseconds(50));  // it is let in first, and so would be the oldest
  std::vector<RawPeer> strangers;
  for (int i = 0; i < 20; ++i) strangers.push_back(RawPeer::connect(to_alpha));
  run_until([&] { return alpha->refused.size() == 16; });
  flooded = true;
  run_until([&] { return beta.done(); });
  EXPECT_EQ(alpha->refused.size(), 16U);
}

// Somebody dials without end, and says nonsense: what hosts say arrives all the same.
TEST_F(LimitsTest, AFloodDoesntKeepMessagesOut) {
  const auto alpha = start("alpha"), beta = start("beta");
  expect_delivery(*beta, *alpha);
  std::atomic<bool> over = false;
  std::atomic<int> dialled = 0;
  {
    const auto flood = [&] {
      for (; !over; ++dialled) RawPeer::connect(to_alpha).write_plain(std::string(1000, 'x'));
    };
    const Beside one(flood), another(flood);
    while (dialled < 100) run_for(std::chrono::milliseconds(1));
    for (int i = 0; i < 200; ++i) expect_delivery(*beta, *alpha);
    over = true;
    run_until([&] { return one.done() && another.done(); });  // one may wait to be let in
  }
  EXPECT_TRUE(alpha->lost.empty());
}

TEST_F(LimitsTest, SilentConnectionsAreGivenUp) {
  MeshLimits limits;
  limits.session.handshake = std::chrono::milliseconds(100);
  const auto alpha = start("alpha", limits);
  const RawPeer silent = RawPeer::connect(to_alpha);
  run_until([&] { return !alpha->refused.empty(); });
  EXPECT_EQ(alpha->refused[0].code, ErrorCode::unreachable);
}

TEST_F(LimitsTest, AHostThatReadsNothingDoesntFillOurMemory) {
  MeshLimits limits;
  limits.session.queue_bytes = 8 << 20;
  const auto alpha = start("alpha", limits);
  const cluster::Identity identity = cluster.identity("beta");
  std::atomic<bool> over = false;
  const Beside beta([&] {
    RawPeer peer = RawPeer::connect(to_alpha);
    EXPECT_TRUE(peer.secure_as_client({.identity = &identity}));
    peer.send(RawPeer::hello("beta"));
    while (!over) std::this_thread::sleep_for(std::chrono::milliseconds(10));
  });
  run_until([&] { return alpha->mesh->state("beta").phase == HostState::Phase::connected; });
  for (int i = 0; i < 100 && alpha->lost.empty(); ++i) {
    std::vector<Bytes> attachments;
    attachments.emplace_back(1 << 20);
    alpha->mesh->send("beta", numbered(i), std::move(attachments));
    run_for(std::chrono::milliseconds(1));
  }
  over = true;
  ASSERT_EQ(alpha->lost.size(), 1u);
  EXPECT_EQ(alpha->lost[0].second.code, ErrorCode::no_resources);
}

TEST_F(LimitsTest, WhatWaitsForASessionIsBounded) {
  MeshLimits limits;
  limits.session.queue_bytes = 1 << 20;
  const auto alpha = start("alpha", limits);
  const auto beta = start("beta");
  for (int i = 0; i < 4; ++i) alpha->mesh->send("beta", numbered(i), {Bytes(1 << 19)});
  run_until([&] { return !alpha->lost.empty(); });
  EXPECT_EQ(alpha->lost[0].second.code, ErrorCode::no_resources);
  expect_delivery(*alpha, *beta);
  EXPECT_EQ(beta->received.size(), 1u);
}

TEST_F(LimitsTest, AMessageBeyondTheProtocolsLimitsIsRefusedAndBreaksNothing) {
  MeshLimits limits;
  limits.session.wire.attachment_bytes = 1000;
  const auto alpha = start("alpha", limits), beta = start("beta", limits);
  expect_delivery(*alpha, *beta);
  const auto many_bytes = alpha->mesh->send("beta", numbered(1), {Bytes(1001)});
  ASSERT_FALSE(many_bytes);
  EXPECT_EQ(many_bytes.error().code, ErrorCode::too_large);
  wire::Message large = numbered(2);
  large.mutable_offer()->set_receiver(std::string(2 << 20, 'x'));
  const auto long_message = alpha->mesh->send("beta", large);
  ASSERT_FALSE(long_message);
  EXPECT_EQ(long_message.error().code, ErrorCode::too_large);
  alpha->mesh->send("beta", numbered(3), {Bytes(1000)});
  run_until([&] { return beta->received.size() == 2; });
  EXPECT_EQ(number_of(beta->received[1].message), 3);
  EXPECT_TRUE(alpha->lost.empty());
  EXPECT_TRUE(beta->lost.empty());
}

}  // namespace
}  // namespace sockswap::mesh
