#include <atomic>

#include "fixture.h"
#include "raw_peer.h"

namespace sockswap::mesh {
namespace {

class Loss : public MeshTest {
 protected:
  void SetUp() override {
    cluster.add("alpha", 1);
    cluster.add("beta", 2);
  }
  const Endpoint to_alpha{address_of_host(1), cluster::default_port};
};

TEST_F(Loss, OfAHostIsToldOnceAndItsReturnIsFound) {
  const auto alpha = start("alpha");
  auto beta = start("beta");
  expect_delivery(*alpha, *beta);
  beta.reset();
  run_until([&] { return !alpha->lost.empty(); });
  EXPECT_EQ(alpha->lost[0].first, "beta");
  EXPECT_EQ(alpha->lost[0].second.code, ErrorCode::unreachable);
  EXPECT_EQ(alpha->mesh->state("beta").phase, HostState::Phase::unreachable);

  alpha->mesh->send("beta", numbered(1));  // nobody listens
  run_until([&] { return alpha->lost.size() == 2; });
  EXPECT_EQ(alpha->lost[1].second.sys_errno, ECONNREFUSED);

  beta = start("beta");
  expect_delivery(*alpha, *beta);
  EXPECT_EQ(alpha->mesh->state("beta").phase, HostState::Phase::connected);
  EXPECT_EQ(beta->received.size(), 1u);  // what was lost isn't sent again
  EXPECT_EQ(alpha->lost.size(), 2u);
}

TEST_F(Loss, CoversWhatWasSentBeforeItWasTold) {
  const auto alpha = start("alpha");
  alpha->mesh->send("beta", numbered(1));
  alpha->on_lost = [&](const std::string& host) {
    if (alpha->lost.size() < 3) alpha->mesh->send(host, numbered(2));  // from within the handler
  };
  run_until([&] { return alpha->lost.size() == 3; });
  run_for(std::chrono::milliseconds(50));
  EXPECT_EQ(alpha->lost.size(), 3u);
}

// The first send meets a closed connection and is answered by RST, so that the second one fails at once, in
// the way that raises SIGPIPE if it is let.
TEST_F(Loss, NoticedBySendingIsToldOnceAndLater) {
  const auto alpha = start("alpha");
  auto beta = start("beta");
  expect_delivery(*alpha, *beta);
  beta.reset();
  for (int i = 0; i < 5; ++i) alpha->mesh->send("beta", numbered(i));
  EXPECT_TRUE(alpha->lost.empty());
  run_until([&] { return !alpha->lost.empty(); });
  run_for(std::chrono::milliseconds(50));
  EXPECT_EQ(alpha->lost.size(), 1u);
}

TEST_F(Loss, IsNotToldForAnOpenThatFails) {
  const auto alpha = start("alpha");
  alpha->mesh->open("beta");
  run_until([&] { return alpha->mesh->state("beta").phase == HostState::Phase::unreachable; });
  EXPECT_TRUE(alpha->lost.empty());
}

TEST_F(Loss, IsToldForAHostThatDoesNotExist) {
  const auto alpha = start("alpha");
  alpha->mesh->send("nobody", numbered(1));
  EXPECT_TRUE(alpha->lost.empty());
  run_until([&] { return !alpha->lost.empty(); });
  EXPECT_EQ(alpha->lost[0].first, "nobody");
  EXPECT_EQ(alpha->lost[0].second.code, ErrorCode::unknown_host);
}

// The host is there, says nothing, and its kernel no longer answers: like a machine without power.
TEST_F(Loss, OfAMachineWithoutPowerIsNoticed) {
  MeshLimits limits;
  limits.session.dead_after = std::chrono::milliseconds(2000);
  const auto alpha = start("alpha", limits);
  const cluster::Identity identity = cluster.identity("beta");
  std::atomic<bool> over = false;
  const Beside beta([&] {
    RawPeer peer = RawPeer::connect(to_alpha);
    EXPECT_TRUE(peer.secure_as_client({.identity = &identity}));
    peer.send(RawPeer::hello("beta"));
    EXPECT_TRUE(peer.receive());
    peer.go_deaf();
    while (!over) std::this_thread::sleep_for(std::chrono::milliseconds(10));
  });
  run_until([&] { return !alpha->lost.empty(); });
  over = true;
  EXPECT_EQ(alpha->lost[0].second.sys_errno, ETIMEDOUT);
}

TEST_F(Loss, OfAHostThatIsOnlyQuietIsNotToldOf) {
  MeshLimits limits;
  limits.session.dead_after = std::chrono::milliseconds(1000);
  limits.session.handshake = std::chrono::milliseconds(500);
  const auto alpha = start("alpha", limits), beta = start("beta", limits);
  expect_delivery(*alpha, *beta);
  run_for(std::chrono::milliseconds(3000));
  EXPECT_TRUE(alpha->lost.empty());
  EXPECT_TRUE(beta->lost.empty());
}

TEST_F(Loss, OfAHostThatCameBackBeforeItsAbsenceWasNoticed) {
  const auto alpha = start("alpha");
  const cluster::Identity identity = cluster.identity("beta");
  std::atomic<bool> over = false;
  const Beside beta([&] {
    std::vector<RawPeer> lives;
    for (int life = 0; life < 2; ++life) {
      lives.push_back(RawPeer::connect(to_alpha));
      EXPECT_TRUE(lives.back().secure_as_client({.identity = &identity}));
      lives.back().send(RawPeer::hello("beta"));
      EXPECT_TRUE(lives.back().receive());
      lives.back().send(numbered(life));
      if (life == 0) lives.back().go_deaf();
    }
    while (!over) std::this_thread::sleep_for(std::chrono::milliseconds(10));
  });
  std::vector<std::string> order;
  alpha->on_lost = [&](const std::string&) { order.push_back("lost"); };
  alpha->on_message = [&](const Incoming& in) { order.push_back(in.message.move_id()); };
  run_until([&] { return order.size() == 3; });
  over = true;
  EXPECT_EQ(order, (std::vector<std::string>{"0", "lost", "1"}));
  EXPECT_EQ(alpha->mesh->state("beta").phase, HostState::Phase::connected);
}

TEST_F(Loss, FollowsRemovalFromTheTable) {
  const auto alpha = start("alpha"), beta = start("beta");
  expect_delivery(*alpha, *beta);
  cluster::HostTable without;
  ASSERT_TRUE(without.add(*cluster.table().find("alpha")));
  alpha->mesh->reload(without);
  run_until([&] { return !alpha->lost.empty() && !beta->lost.empty(); });
  EXPECT_EQ(alpha->lost[0].second.code, ErrorCode::unknown_host);
  EXPECT_EQ(beta->lost[0].second.code, ErrorCode::unknown_host);
  EXPECT_FALSE(alpha->mesh->covers("beta", address_of_host(2)));
  beta->mesh->send("alpha", numbered(1));
  run_until([&] { return beta->lost.size() == 2; });
  EXPECT_EQ(beta->lost[1].second.code, ErrorCode::unknown_host);
  alpha->mesh->reload(cluster.table());
  expect_delivery(*beta, *alpha);
}

TEST_F(Loss, OfADaemonInMidTransferLeavesTheOthersWhole) {
  cluster.add("gamma", 3);
  const auto alpha = start("alpha"), gamma = start("gamma");
  auto beta = start("beta");
  expect_delivery(*alpha, *beta);
  std::vector<Bytes> attachments;
  attachments.emplace_back(32 << 20);
  alpha->mesh->send("beta", numbered(1), std::move(attachments));
  alpha->mesh->send("gamma", numbered(2));
  io.restart();
  io.poll_one();
  beta.reset();
  run_until([&] { return !alpha->lost.empty() && !gamma->received.empty(); });
  expect_delivery(*alpha, *gamma);
  EXPECT_EQ(alpha->lost.size(), 1u);
}

}  // namespace
}  // namespace sockswap::mesh
