// Who dials and must not get in. Each case fails without the safeguard that it names: RightOne shows that the
// same hands get in when nothing is wrong.
#include "fixture.h"
#include "raw_peer.h"
#include "wire/encoder.h"

namespace sockswap::mesh {
namespace {

class Impostors : public MeshTest {
 protected:
  void SetUp() override {
    cluster.add("alpha", 1);
    cluster.add("beta", 2);
    known = cluster.table();
    cluster.add("mallory", 3);  // has a certificate of this cluster, but alpha's table lacks it
    alpha = start("alpha", known);
    beta = start("beta", known);
  }

  // Plays `act` against alpha, which must refuse it with `code`, get none of its messages, and go on.
  void expect_refusal(ErrorCode code, const std::function<void(RawPeer&)>& act) {
    {
      const Beside impostor([&] {
        RawPeer peer = RawPeer::connect(to_alpha);
        act(peer);
        peer.wait_for_the_end();
      });
      run_until([&] { return impostor.done() && !alpha->refused.empty(); });
    }
    ASSERT_EQ(alpha->refused.size(), 1u);
    EXPECT_EQ(alpha->refused[0].code, code) << alpha->refused[0].text();
    EXPECT_EQ(alpha->refused[0].message.find('\n'), std::string::npos);
    EXPECT_TRUE(alpha->received.empty());
    EXPECT_TRUE(alpha->lost.empty());
    expect_delivery(*beta, *alpha);
  }

  static void speak(RawPeer& peer, const std::string& name) {
    peer.send(RawPeer::hello(name));
    peer.send(numbered(666));
  }

  const Endpoint to_alpha{address_of_host(1), cluster::default_port};
  cluster::HostTable known;
  std::unique_ptr<Node> alpha, beta;
};

TEST_F(Impostors, RightOneGetsIn) {
  const cluster::Identity identity = cluster.identity("beta");
  const Beside friendly([&] {
    RawPeer peer = RawPeer::connect(to_alpha);
    EXPECT_TRUE(peer.secure_as_client({.identity = &identity}));
    peer.send(RawPeer::hello("beta"));
    const auto hello = peer.receive();
    ASSERT_TRUE(hello);
    EXPECT_EQ(hello->hello().host(), "alpha");
    peer.send(numbered(5));
  });
  run_until([&] { return !alpha->received.empty(); });
  EXPECT_EQ(alpha->received[0].host, "beta");
}

TEST_F(Impostors, OfAnotherClusterWithTheRightName) {
  ScratchCluster other;
  other.add("beta", 2);
  const cluster::Identity identity = other.identity("beta");
  expect_refusal(ErrorCode::not_permitted, [&](RawPeer& peer) {
    peer.secure_as_client({.identity = &identity});
    speak(peer, "beta");
  });
}

TEST_F(Impostors, WithoutACertificate) {
  expect_refusal(ErrorCode::not_permitted, [&](RawPeer& peer) {
    peer.secure_as_client({});
    speak(peer, "beta");
  });
}

TEST_F(Impostors, WithAnExpiredCertificate) {
  const auto now = std::chrono::system_clock::now();
  ScratchCluster& same = cluster;
  same.add("late", 4, {.from = now - std::chrono::hours(2), .until = now - std::chrono::hours(1)});
  alpha->mesh->reload(cluster.table());
  const cluster::Identity identity = cluster.identity("late");
  expect_refusal(ErrorCode::not_permitted, [&](RawPeer& peer) {
    peer.secure_as_client({.identity = &identity});
    speak(peer, "late");
  });
}

TEST_F(Impostors, NotInTheTable) {
  const cluster::Identity identity = cluster.identity("mallory");
  expect_refusal(ErrorCode::unknown_host, [&](RawPeer& peer) {
    EXPECT_TRUE(peer.secure_as_client({.identity = &identity}));
    speak(peer, "mallory");
    const auto answer = peer.receive();
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->goodbye().error().code(), static_cast<unsigned>(ErrorCode::unknown_host));
  });
}

// The network loses the Goodbye, and alpha has more to read than it wants to. If alpha closed its socket at
// once, its kernel would answer RST and send nothing again.
TEST_F(Impostors, LearnTheReasonOverALossyNetwork) {
  alpha.reset();
  MeshLimits limits;
  limits.session.farewell = std::chrono::milliseconds(20000);
  alpha = start("alpha", known, limits);
  const cluster::Identity identity = cluster.identity("beta");
  expect_refusal(ErrorCode::version_mismatch, [&](RawPeer& peer) {
    peer.enlarge_send_buffer(1 << 20);
    EXPECT_TRUE(peer.secure_as_client({.identity = &identity}));
    EXPECT_TRUE(peer.receive()->has_hello());
    peer.go_deaf();
    peer.send(RawPeer::hello("beta", newest_version + 1, newest_version + 1));
    peer.send_bytes(view_of(std::string(400 << 10, 'x')));
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    peer.hear_again();
    const auto answer = peer.receive();
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->goodbye().error().code(), static_cast<unsigned>(ErrorCode::version_mismatch));
  });
}

TEST_F(Impostors, UnderOurOwnName) {
  const cluster::Identity identity = cluster.identity("alpha");
  expect_refusal(ErrorCode::unknown_host, [&](RawPeer& peer) {
    peer.secure_as_client({.identity = &identity});
    speak(peer, "alpha");
  });
}

TEST_F(Impostors, GreetingUnderAnotherName) {
  known = cluster.table();
  alpha->mesh->reload(known);
  const cluster::Identity identity = cluster.identity("mallory");
  expect_refusal(ErrorCode::not_permitted, [&](RawPeer& peer) {
    peer.secure_as_client({.identity = &identity});
    speak(peer, "beta");
  });
}

TEST_F(Impostors, SpeakingPlainText) {
  expect_refusal(ErrorCode::unreachable,
                 [](RawPeer& peer) { peer.write_plain("GET / HTTP/1.1\r\nHost: alpha\r\n\r\n"); });
}

TEST_F(Impostors, SpeakingGarbage) {
  expect_refusal(ErrorCode::unreachable,
                 [](RawPeer& peer) { peer.write_plain(std::string(100000, '\xff')); });
}

TEST_F(Impostors, SpeakingOldTls) {
  const cluster::Identity identity = cluster.identity("beta");
  expect_refusal(ErrorCode::version_mismatch, [&](RawPeer& peer) {
    EXPECT_FALSE(peer.secure_as_client({.identity = &identity, .newest_tls = TLS1_2_VERSION}));
  });
}

TEST_F(Impostors, SpeakingALaterProtocol) {
  const cluster::Identity identity = cluster.identity("beta");
  expect_refusal(ErrorCode::version_mismatch, [&](RawPeer& peer) {
    EXPECT_TRUE(peer.secure_as_client({.identity = &identity}));
    peer.send(RawPeer::hello("beta", newest_version + 1, newest_version + 3));
    peer.send(numbered(666));
    EXPECT_TRUE(peer.receive()->has_hello());
    const auto answer = peer.receive();
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->goodbye().error().code(), static_cast<unsigned>(ErrorCode::version_mismatch));
  });
}

TEST_F(Impostors, NotSayingHello) {
  const cluster::Identity identity = cluster.identity("beta");
  expect_refusal(ErrorCode::internal, [&](RawPeer& peer) {
    peer.secure_as_client({.identity = &identity});
    peer.send(numbered(666));
  });
}

TEST_F(Impostors, SendingMalformedFrames) {
  const cluster::Identity identity = cluster.identity("beta");
  expect_refusal(ErrorCode::internal, [&](RawPeer& peer) {
    peer.secure_as_client({.identity = &identity});
    peer.send_bytes(view_of(std::string(64, '\x03')));
  });
}

TEST_F(Impostors, SendingMoreThanTheLimits) {
  const cluster::Identity identity = cluster.identity("beta");
  expect_refusal(ErrorCode::too_large, [&](RawPeer& peer) {
    peer.secure_as_client({.identity = &identity});
    const std::string_view header("\x7f\x00\x00\x00\x01\x00\x00\x00", 8);  // a message frame of 2 GiB
    peer.send_bytes(view_of(header));
  });
}

TEST_F(Impostors, HangingUpHalfWay) {
  const Beside impostor([&] { RawPeer::connect(to_alpha).write_plain("\x16\x03\x01"); });
  run_until([&] { return !alpha->refused.empty(); });
  EXPECT_EQ(alpha->refused[0].code, ErrorCode::unreachable);
  expect_delivery(*beta, *alpha);
}

}  // namespace
}  // namespace sockswap::mesh
