#include <unistd.h>

#include <algorithm>

#include "fixture.h"
#include "raw_peer.h"

namespace sockswap::mesh {
namespace {

Bytes filled(std::size_t size, int seed) {
  Bytes out(size);
  std::uint32_t state = static_cast<std::uint32_t>(seed) * 2654435761u + 1;
  for (std::byte& byte : out) {
    state = state * 1664525u + 1013904223u;
    byte = static_cast<std::byte>(state >> 24);
  }
  return out;
}

class Delivery : public MeshTest {
 protected:
  void SetUp() override {
    cluster.add("alpha", 1);
    cluster.add("beta", 2);
    cluster.add("gamma", 3);
  }
  static std::vector<int> numbers(const Node& node, const std::string& from) {
    std::vector<int> out;
    for (const Incoming& incoming : node.received)
      if (incoming.host == from) out.push_back(number_of(incoming.message));
    return out;
  }
  static std::vector<int> up_to(int count) {
    std::vector<int> out(static_cast<std::size_t>(count));
    for (int i = 0; i < count; ++i) out[static_cast<std::size_t>(i)] = i;
    return out;
  }
};

TEST_F(Delivery, BringsMessageAndAttachmentsUnderTheSendersName) {
  const auto alpha = start("alpha"), beta = start("beta");
  std::vector<Bytes> attachments{filled(10, 1), {}, filled(100000, 2)};
  alpha->mesh->send("beta", numbered(7), attachments);
  run_until([&] { return !beta->received.empty(); });
  ASSERT_EQ(beta->received.size(), 1u);
  EXPECT_EQ(beta->received[0].host, "alpha");
  EXPECT_EQ(number_of(beta->received[0].message), 7);
  EXPECT_TRUE(beta->received[0].message.has_ready());
  EXPECT_EQ(beta->received[0].attachments, attachments);
  expect_delivery(*beta, *alpha);
  EXPECT_TRUE(alpha->lost.empty());
  EXPECT_TRUE(beta->refused.empty());
}

TEST_F(Delivery, KeepsLargeAttachmentsAndSmallMessagesInOrder) {
  const auto alpha = start("alpha"), beta = start("beta");
#ifdef __SANITIZE_THREAD__
  constexpr std::size_t large = 4 << 20;  // sixteen times as much takes a quarter of an hour there
#else
  constexpr std::size_t large = 64 << 20;
#endif
  int next = 0;
  for (int round = 0; round < 2; ++round) {
    for (int i = 0; i < 50; ++i) alpha->mesh->send("beta", numbered(next++));
    std::vector<Bytes> attachments;
    attachments.push_back(filled(large, round));
    alpha->mesh->send("beta", numbered(next++), std::move(attachments));
    for (int i = 0; i < 50; ++i) alpha->mesh->send("beta", numbered(next++));
    beta->mesh->send("alpha", numbered(round));  // the other way goes on meanwhile
    run_until([&] { return beta->received.size() == static_cast<std::size_t>(next); });
  }
  EXPECT_EQ(numbers(*beta, "alpha"), up_to(next));
  run_until([&] { return alpha->received.size() == 2; });
  int seed = 0;
  for (const Incoming& incoming : beta->received) {
    if (incoming.attachments.empty()) continue;
    EXPECT_TRUE(incoming.attachments[0] == filled(large, seed++));  // not EXPECT_EQ: it would print them
  }
  EXPECT_EQ(seed, 2);
}

TEST_F(Delivery, KeepsEachSendersOrderWhenBothDialAtOnce) {
  const auto alpha = start("alpha"), beta = start("beta");
  constexpr int count = 300;
  for (int i = 0; i < count; ++i) {
    alpha->mesh->send("beta", numbered(i));
    beta->mesh->send("alpha", numbered(i));
    if (i % 3 == 0) run_for(std::chrono::milliseconds(1));
  }
  run_until([&] { return alpha->received.size() >= count && beta->received.size() >= count; });
  EXPECT_EQ(numbers(*alpha, "beta"), up_to(count));
  EXPECT_EQ(numbers(*beta, "alpha"), up_to(count));
  EXPECT_TRUE(alpha->lost.empty());
  EXPECT_TRUE(beta->lost.empty());
}

TEST_F(Delivery, JoinsThreeHosts) {
  std::vector<std::unique_ptr<Node>> nodes;
  for (const char* name : {"alpha", "beta", "gamma"}) nodes.push_back(start(name));
  for (const auto& from : nodes)
    for (const auto& to : nodes) from->mesh->send(to->mesh->own_name(), numbered(1));
  run_until(
      [&] { return std::ranges::all_of(nodes, [](const auto& n) { return n->received.size() == 3; }); });
  for (const auto& to : nodes)
    for (const auto& from : nodes) EXPECT_EQ(numbers(*to, from->mesh->own_name()), std::vector{1});
}

TEST_F(Delivery, ToOneselfGoesThroughTheLoopInOrder) {
  const auto alpha = start("alpha");
  for (int i = 0; i < 10; ++i) alpha->mesh->send("alpha", numbered(i), {filled(3, i)});
  EXPECT_TRUE(alpha->received.empty());
  run_until([&] { return alpha->received.size() == 10; });
  EXPECT_EQ(numbers(*alpha, "alpha"), up_to(10));
  ASSERT_EQ(alpha->received[4].attachments.size(), 1u);
  EXPECT_EQ(alpha->received[4].attachments[0], filled(3, 4));
}

TEST_F(Delivery, AnswersFromWithinTheHandler) {
  const auto alpha = start("alpha"), beta = start("beta");
  const auto pong = [](Node& node) {
    return [&node](const Incoming& incoming) {
      const int number = number_of(incoming.message);
      if (number < 100) node.mesh->send(incoming.host, numbered(number + 1));
    };
  };
  alpha->on_message = pong(*alpha);
  beta->on_message = pong(*beta);
  alpha->mesh->send("beta", numbered(0));
  run_until([&] { return alpha->received.size() + beta->received.size() == 101; });
  EXPECT_EQ(number_of(beta->received.back().message), 100);
}

TEST_F(Delivery, HasASessionReadyAfterOpen) {
  const auto alpha = start("alpha"), beta = start("beta");
  EXPECT_EQ(alpha->mesh->state("beta").phase, HostState::Phase::not_connected);
  alpha->mesh->open("beta");
  EXPECT_EQ(alpha->mesh->state("beta").phase, HostState::Phase::connecting);
  run_until([&] {
    return alpha->mesh->state("beta").phase == HostState::Phase::connected &&
           beta->mesh->state("alpha").phase == HostState::Phase::connected;
  });
  EXPECT_GT(alpha->mesh->state("beta").round_trip.value().count(), 0);
  EXPECT_EQ(alpha->mesh->state("alpha").phase, HostState::Phase::connected);
  EXPECT_EQ(alpha->mesh->state("nobody").last_error.value().code, ErrorCode::unknown_host);
  expect_delivery(*alpha, *beta);
  expect_delivery(*beta, *alpha);
}

TEST_F(Delivery, KnowsWhatTheOthersCertificateCovers) {
  const auto alpha = start("alpha"), beta = start("beta");
  EXPECT_TRUE(alpha->mesh->covers("alpha", address_of_host(1)));
  EXPECT_FALSE(alpha->mesh->covers("alpha", address_of_host(2)));
  EXPECT_FALSE(alpha->mesh->covers("beta", address_of_host(2)));  // it has shown none yet
  expect_delivery(*alpha, *beta);
  EXPECT_TRUE(alpha->mesh->covers("beta", address_of_host(2)));
  EXPECT_FALSE(alpha->mesh->covers("beta", address_of_host(3)));
  EXPECT_TRUE(beta->mesh->covers("alpha", address_of_host(1)));
  EXPECT_FALSE(beta->mesh->covers("alpha", address_of_host(2)));
}

// A host has been given another address: its right to the one that it had before is gone.
TEST_F(Delivery, KnowsWhatTheCertificateShownLastCovers) {
  const auto alpha = start("alpha");
  {
    const auto beta = start("beta");
    expect_delivery(*beta, *alpha);
  }
  run_until([&] { return !alpha->lost.empty(); });
  EXPECT_TRUE(alpha->mesh->covers("beta", address_of_host(2)));
  const cluster::Identity renewed = cluster.identity_at("beta", 7);
  const Beside beta([&] {
    RawPeer peer = RawPeer::connect({address_of_host(1), cluster::default_port});
    EXPECT_TRUE(peer.secure_as_client({.identity = &renewed}));
    peer.send(RawPeer::hello("beta"));
    EXPECT_TRUE(peer.receive());
    peer.send(numbered(5));
  });
  run_until([&] { return alpha->received.size() == 2; });
  EXPECT_TRUE(alpha->mesh->covers("beta", address_of_host(7)));
  EXPECT_FALSE(alpha->mesh->covers("beta", address_of_host(2)));
}

TEST_F(Delivery, TriesTheNextAddressIfOneIsDead) {
  cluster.add(cluster::Host{.name = "delta", .addresses = {address_of_host(40), address_of_host(4)}});
  const auto alpha = start("alpha");
  const auto elsewhere = std::make_unique<Node>();
  Mesh::Handlers handlers{.message = [&](Incoming in) { elsewhere->received.push_back(std::move(in)); },
                          .lost = [](const std::string&, const Error&) {}};
  elsewhere->mesh = Mesh::make(io, cluster.table(), cluster.identity("delta"), std::move(handlers)).value();
  ASSERT_TRUE(elsewhere->mesh->listen({address_of_host(4)}));
  expect_delivery(*alpha, *elsewhere);
}

TEST_F(Delivery, WorksOverIPv6) {
  const auto port = static_cast<std::uint16_t>(20000 + ::getpid() % 10000);
  cluster.add(cluster::Host{.name = "six", .addresses = {Address::parse("::1").value()}, .port = port});
  const auto alpha = start("alpha"), six = start("six");
  expect_delivery(*alpha, *six);
  EXPECT_TRUE(alpha->mesh->covers("six", Address::parse("::1").value()));
}

}  // namespace
}  // namespace sockswap::mesh
