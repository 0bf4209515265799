// Who answers in a host's place, and how a host learns that it is itself unwelcome.
#include "fixture.h"
#include "raw_peer.h"

namespace sockswap::mesh {
namespace {

class DialledImpostors : public MeshTest {
 protected:
  void SetUp() override {
    cluster.add("alpha", 1);
    cluster.add("beta", 2);
  }

  // Beta sends to alpha, where `act` answers; beta must hear lost() once, with `code`.
  void expect_loss(ErrorCode code, const std::function<void(RawPeer&)>& act, const MeshLimits& limits = {}) {
    const auto beta = start("beta", limits);
    RawListener listener(at_alpha);
    const Beside impostor([&] {
      RawPeer peer = listener.accept();
      act(peer);
      peer.wait_for_the_end();
    });
    beta->mesh->send("alpha", numbered(1));
    beta->mesh->send("alpha", numbered(2));
    run_until([&] { return !beta->lost.empty() && impostor.done(); });
    ASSERT_EQ(beta->lost.size(), 1u);
    EXPECT_EQ(beta->lost[0].first, "alpha");
    EXPECT_EQ(beta->lost[0].second.code, code) << beta->lost[0].second.text();
    EXPECT_EQ(beta->lost[0].second.message.find('\n'), std::string::npos);
    EXPECT_LE(beta->lost[0].second.message.size(), 300U);
    EXPECT_EQ(beta->mesh->state("alpha").phase, HostState::Phase::unreachable);
    EXPECT_EQ(beta->mesh->state("alpha").last_error->code, code);
    EXPECT_TRUE(beta->received.empty());
  }

  // Beta, as `unwelcome` as it may be, sends to a real alpha.
  void expect_refusal_of(const std::string& name, const cluster::HostTable& alphas_table, ErrorCode code) {
    const auto alpha = start("alpha", alphas_table);
    const auto unwelcome = start(name);
    unwelcome->mesh->send("alpha", numbered(1));
    run_until([&] { return !unwelcome->lost.empty() && !alpha->refused.empty(); });
    ASSERT_EQ(unwelcome->lost.size(), 1u);
    EXPECT_EQ(unwelcome->lost[0].second.code, code) << unwelcome->lost[0].second.text();
    EXPECT_EQ(alpha->refused[0].code, code) << alpha->refused[0].text();
    EXPECT_TRUE(alpha->received.empty());
  }

  const Endpoint at_alpha{address_of_host(1), cluster::default_port};
};

TEST_F(DialledImpostors, RightOneIsSpokenTo) {
  const cluster::Identity identity = cluster.identity("alpha");
  const auto beta = start("beta");
  RawListener listener(at_alpha);
  const Beside friendly([&] {
    RawPeer peer = listener.accept();
    EXPECT_TRUE(peer.secure_as_server({.identity = &identity}));
    peer.send(RawPeer::hello("alpha"));
    EXPECT_EQ(peer.receive()->hello().host(), "beta");
    EXPECT_EQ(number_of(peer.receive().value()), 1);
    peer.send(numbered(2));
  });
  beta->mesh->send("alpha", numbered(1));
  run_until([&] { return friendly.done() && !beta->received.empty(); });
  EXPECT_EQ(beta->received[0].host, "alpha");
}

TEST_F(DialledImpostors, OfThisClusterUnderAnotherName) {
  cluster.add("gamma", 3);
  const cluster::Identity identity = cluster.identity("gamma");
  expect_loss(ErrorCode::not_permitted,
              [&](RawPeer& peer) { EXPECT_FALSE(peer.secure_as_server({.identity = &identity})); });
}

TEST_F(DialledImpostors, OfAnotherCluster) {
  ScratchCluster other;
  other.add("alpha", 1);
  const cluster::Identity identity = other.identity("alpha");
  expect_loss(ErrorCode::not_permitted,
              [&](RawPeer& peer) { EXPECT_FALSE(peer.secure_as_server({.identity = &identity})); });
}

TEST_F(DialledImpostors, SpeakingPlainText) {
  expect_loss(ErrorCode::unreachable, [](RawPeer& peer) { peer.write_plain("220 mail ready\r\n"); });
}

TEST_F(DialledImpostors, SpeakingOldTls) {
  const cluster::Identity identity = cluster.identity("alpha");
  expect_loss(ErrorCode::version_mismatch, [&](RawPeer& peer) {
    EXPECT_FALSE(peer.secure_as_server({.identity = &identity, .newest_tls = TLS1_2_VERSION}));
  });
}

TEST_F(DialledImpostors, SpeakingALaterProtocol) {
  const cluster::Identity identity = cluster.identity("alpha");
  expect_loss(ErrorCode::version_mismatch, [&](RawPeer& peer) {
    EXPECT_TRUE(peer.secure_as_server({.identity = &identity}));
    peer.send(RawPeer::hello("alpha", newest_version + 1, newest_version + 1));
    EXPECT_TRUE(peer.receive()->has_hello());
    const auto answer = peer.receive();
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->goodbye().error().code(), static_cast<unsigned>(ErrorCode::version_mismatch));
  });
}

TEST_F(DialledImpostors, GoodbyesReasonIsHandedOn) {
  const cluster::Identity identity = cluster.identity("alpha");
  expect_loss(ErrorCode::busy, [&](RawPeer& peer) {
    EXPECT_TRUE(peer.secure_as_server({.identity = &identity}));
    wire::Message goodbye;
    goodbye.mutable_goodbye()->mutable_error()->set_code(static_cast<unsigned>(ErrorCode::busy));
    goodbye.mutable_goodbye()->mutable_error()->set_message("two\nlines" + std::string(1000, 'x'));
    peer.send(goodbye);
  });
}

TEST_F(DialledImpostors, SilentOnesAreGivenUp) {
  MeshLimits limits;
  limits.session.handshake = std::chrono::milliseconds(200);
  expect_loss(
      ErrorCode::unreachable, [](RawPeer&) {}, limits);
}

TEST_F(DialledImpostors, AHostThatIsInNobodysTableLearnsIt) {
  const cluster::HostTable before = cluster.table();
  cluster.add("gamma", 3);
  expect_refusal_of("gamma", before, ErrorCode::unknown_host);
}

TEST_F(DialledImpostors, AHostWhoseCertificateHasExpiredLearnsIt) {
  const auto now = std::chrono::system_clock::now();
  cluster.add("late", 4, {.from = now - std::chrono::hours(2), .until = now - std::chrono::hours(1)});
  expect_refusal_of("late", cluster.table(), ErrorCode::not_permitted);
}

}  // namespace
}  // namespace sockswap::mesh
