// What a move says when one of its hosts or programs doesn't do its part: of another version, gone in the
// middle, or out of each other's reach. The connection goes on where it was, and moves when that is mended.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <sys/socket.h>

#include <deque>
#include <thread>

#include "cluster/identity.h"
#include "lab/refusals.h"
#include "unit/mesh/raw_peer.h"
#include "wire/session.pb.h"

namespace sockswap::test {
namespace {

using mesh::RawPeer;
using ::testing::HasSubstr;

class Parties : public Refusals {
 protected:
  template <class Condition>
  static void wait_until(const char* what, Condition holds) {
    for (int i = 0; i < 6000; ++i) {
      if (holds()) return;
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    throw std::runtime_error(std::string("it never came: ") + what);
  }

  static bool connected(const std::string& on, const std::string& with) {
    const Said said = sockswap(on, {"hosts"});
    for (const nlohmann::json& one : said.json["hosts"])
      if (one["name"] == with) return one["state"] == "connected";
    return false;
  }
};

// In the place of gamma's daemon, with its certificate: speaks version 2 and no other.
class LaterVersion {
 public:
  LaterVersion(Fd listener, cluster::Identity identity, Address heard)
      : listener_(std::move(listener)),
        identity_(std::move(identity)),
        heard_(heard),
        thread_([this] { serve(); }) {}
  ~LaterVersion() {
    ::shutdown(listener_.get(), SHUT_RD);  // accept() returns
    thread_.join();
  }
  // What the others said when they left.
  std::vector<wire::Error> goodbyes() const {
    const std::lock_guard lock(mutex_);
    return goodbyes_;
  }

 private:
  void serve() {
    greet_all();
    ::OPENSSL_thread_stop();
  }
  void greet_all() {
    std::deque<Fd> unheard;
    for (;;) {
      sockaddr_storage from{};
      socklen_t size = sizeof from;
      Fd socket(::accept4(listener_.get(), reinterpret_cast<sockaddr*>(&from), &size, SOCK_CLOEXEC));
      if (!socket) return;
      // The peer dials too, and would refuse with `unreachable`: it waits, so that the origin is first.
      if (Endpoint::from_sockaddr(from)->address != heard_)
        unheard.push_back(std::move(socket));
      else
        greet(RawPeer(std::move(socket)));
    }
  }
  void greet(RawPeer peer) {
    if (!peer.secure_as_server({.identity = &identity_})) return;
    peer.send(RawPeer::hello("gamma", 2, 2));
    while (const auto message = peer.receive()) {
      if (!message->has_goodbye()) continue;
      const std::lock_guard lock(mutex_);
      goodbyes_.push_back(message->goodbye().error());
    }
  }

  Fd listener_;
  cluster::Identity identity_;
  Address heard_;
  mutable std::mutex mutex_;
  std::vector<wire::Error> goodbyes_;
  std::thread thread_;
};

TEST_F(Parties, ADestinationOfALaterVersion) {
  Talk talk = this->talk("timeout", 3);
  ASSERT_TRUE(cluster().kill_daemon("gamma"));
  wait_until("beta misses gamma", [] { return !connected("beta", "gamma"); });
  auto identity = host("gamma").inside([] { return cluster::load_identity("/etc/sockswap"); });
  ASSERT_TRUE(identity) << identity.error().text();
  {
    const LaterVersion later(listen_on("gamma", {host("gamma").v4(), 7337}), *std::move(identity),
                             host("beta").v4());
    const Failure said = what_moving_says(talk.fd(), "beta", "gamma", "test");
    EXPECT_EQ(said.code(), SOCKSWAP_VERSION_MISMATCH);
    EXPECT_THAT(said.what(), HasSubstr("gamma speaks protocol versions 2 to 2, beta speaks 1 to 1"));
    EXPECT_THAT(said.hint(), HasSubstr("the same release"));
    wait_until("the Goodbye", [&] { return !later.goodbyes().empty(); });
    EXPECT_EQ(later.goodbyes().front().code(), SOCKSWAP_VERSION_MISMATCH);
  }
  EXPECT_FALSE(reached(last_move("beta"), "freezing"));
  talk.go_on();
  ASSERT_TRUE(cluster().start_daemon("gamma"));
  wait_until("gamma is back", [] { return connected("alpha", "gamma") && connected("beta", "gamma"); });
  talk.fd() = move(std::move(talk.fd()), "beta", "gamma");
  talk.go_on_to_the_end();
}

// The receiver ends when neither end runs. The slow link makes that instant long, whichever host is behind
// it.
class DeadReceiver : public Parties, public ::testing::WithParamInterface<const char*> {};

TEST_P(DeadReceiver, WhileBothEndsAreFrozen) {
  Talk talk = this->talk();
  std::optional<Client> there = client("gamma");
  there->register_receiver("test");
  ASSERT_TRUE(host(GetParam()).set_link({.delay = std::chrono::milliseconds(300)}));
  const Failure said =
      what_moving_says(talk.fd(), "beta", "gamma", "test", {.progress = [&](const char* step, double) {
                         if (std::string_view(step) != "delivered") return;
                         // Not asked of its daemon: a command takes longer than the link.
                         wait_until("alpha holds", [&] { return talk.connected.stayer.is_paused(); });
                         there.reset();
                       }});
  EXPECT_TRUE(reached(last_move("alpha"), "held"));
  EXPECT_TRUE(reached(last_move("beta"), "frozen"));
  EXPECT_EQ(said.code(), SOCKSWAP_RECEIVER_GONE) << said.what();
  ASSERT_TRUE(host(GetParam()).set_link({}));
  EXPECT_TRUE(reached(last_move("beta"), "thawed"));
  talk.go_on_to_the_end();
}

// Behind gamma's link the destination has nothing yet; behind alpha's it is ready, and can only ask.
INSTANTIATE_TEST_SUITE_P(Slow, DeadReceiver, ::testing::Values("gamma", "alpha"),
                         [](const auto& test) { return std::string(test.param); });

// Each reaches the origin, but not the other: re-pointed, the ends would talk into nothing.
TEST_F(Parties, APeerAndADestinationThatDontReachEachOther) {
  Talk talk = this->talk("timeout", 3);
  Client there = client("gamma");
  there.register_receiver("test");
  ASSERT_TRUE(connected("alpha", "gamma"));
  const std::string wall = fmt::format(
      "table inet wall {{\n"
      "  chain in {{ type filter hook input priority 0;\n"
      "    ip saddr {0} meta l4proto tcp drop\n    ip6 saddr {1} meta l4proto tcp drop\n  }}\n"
      "  chain out {{ type filter hook output priority 0;\n"
      "    ip daddr {0} meta l4proto tcp drop\n    ip6 daddr {1} meta l4proto tcp drop\n  }}\n"
      "}}\n",
      host("gamma").v4().text(), host("gamma").v6().text());
  ASSERT_TRUE(host("alpha").write_file("/run/wall.nft", wall));
  ASSERT_TRUE(host("alpha").run({"nft", "-f", "/run/wall.nft"})->status.ok());
  wait_until("their session dies", [] { return !connected("alpha", "gamma"); });
  const Failure said = what_moving_says(talk.fd(), "beta", "gamma", "test");
  EXPECT_EQ(said.code(), SOCKSWAP_UNREACHABLE) << said.what();
  EXPECT_THAT(said.what(), HasSubstr("alpha can't reach gamma"));
  EXPECT_THAT(said.hint(), HasSubstr("`sockswap hosts` on alpha"));
  EXPECT_FALSE(reached(last_move("beta"), "freezing"));
  EXPECT_FALSE(reached(last_move("alpha"), "holding"));
  talk.go_on();
  ASSERT_TRUE(host("alpha").run({"nft", "delete", "table", "inet", "wall"})->status.ok());
  there = client("beta");  // the name is free again
  talk.fd() = move(std::move(talk.fd()), "beta", "gamma");
  talk.go_on_to_the_end();
}

}  // namespace
}  // namespace sockswap::test
