// Somebody on the way between two hosts who keeps what passes and says it again, or in another order. TLS
// has an answer to that, if nothing here undoes it: no early data, no resumption.
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <array>
#include <atomic>

#include "fixture.h"
#include "raw_peer.h"

namespace sockswap::mesh {
namespace {

// One TCP connection of beta's, and the one to alpha by which it is passed on, a TLS record (RFC 8446, 5.1)
// at a time.
class Middle {
 public:
  using Records = std::vector<Bytes>;
  // What to send in place of a record of beta's, while that message is on its way; 0: before all of them.
  using Pass = std::function<Records(int message, const Bytes& record)>;

  explicit Middle(const Endpoint& to) : to_(to) {}

  // Until either side ends.
  void pass_on(int from_beta, const Pass& pass) {
    const Fd to_alpha = connect();
    const Beside back([&] { pump(to_alpha.get(), from_beta); });
    bool alive = true;
    while (alive) {
      const Bytes record = read_record(from_beta);
      if (record.empty()) break;
      for (const Bytes& out : pass(stage, record))
        alive = alive && ::send(to_alpha.get(), out.data(), out.size(), MSG_NOSIGNAL) ==
                             static_cast<ssize_t>(out.size());
      seen_.insert(seen_.end(), record.begin(), record.end());
      passed = seen_.size();
    }
    ended = true;
    ::shutdown(to_alpha.get(), SHUT_RDWR);
    ::shutdown(from_beta, SHUT_RDWR);
  }
  // All that beta has ever said, on a connection of its own.
  void say_again() const {
    const Fd to_alpha = connect();
    ::send(to_alpha.get(), seen_.data(), seen_.size(), MSG_NOSIGNAL);
    std::array<char, 4096> buffer;
    while (::recv(to_alpha.get(), buffer.data(), buffer.size(), 0) > 0) {
    }
  }

  std::atomic<int> stage = 0;             // the message that beta is saying
  std::atomic<std::uint64_t> passed = 0;  // bytes of beta's
  std::atomic<bool> ended = false;

 private:
  Fd connect() const {
    sockaddr_storage address{};
    const socklen_t size = to_.to_sockaddr(AF_INET, address);
    Fd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    EXPECT_EQ(::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), size), 0);
    return fd;
  }
  static bool read_all(int fd, std::byte* to, std::size_t size) {
    return ::recv(fd, to, size, MSG_WAITALL) == static_cast<ssize_t>(size);
  }
  // Empty at the end.
  static Bytes read_record(int fd) {
    Bytes record(5);
    if (!read_all(fd, record.data(), 5)) return {};
    const std::size_t length =
        std::to_integer<std::size_t>(record[3]) << 8 | std::to_integer<std::size_t>(record[4]);
    record.resize(5 + length);
    if (!read_all(fd, record.data() + 5, length)) return {};
    return record;
  }
  static void pump(int from, int to) {
    std::array<char, 4096> buffer;
    for (ssize_t got; (got = ::recv(from, buffer.data(), buffer.size(), 0)) > 0;)
      ::send(to, buffer.data(), static_cast<std::size_t>(got), MSG_NOSIGNAL);
    ::shutdown(to, SHUT_RDWR);
  }

  Endpoint to_;
  Bytes seen_;  // of beta's
};

class Replay : public MeshTest {
 protected:
  void SetUp() override {
    cluster.add("alpha", 1);
    cluster.add("beta", 2);
    alpha = start("alpha");
  }

  // beta says Hello, 1, 2 and 3, a record each, over a connection with somebody in the middle.
  void talk_through(Middle& middle, const Middle::Pass& pass) {
    const cluster::Identity identity = cluster.identity("beta");
    const Endpoint at{address_of_host(9), cluster::default_port};
    RawListener listener(at);
    const Beside in_the_middle([&] {
      const Fd from_beta = std::move(listener.accept()).release();
      middle.pass_on(from_beta.get(), pass);
    });
    const Beside beta([&] {
      RawPeer peer = RawPeer::connect(at);
      EXPECT_TRUE(peer.secure_as_client({.identity = &identity}));
      const auto passed_on = [&] {
        while (middle.passed < peer.written() && !middle.ended) std::this_thread::yield();
      };
      peer.send(RawPeer::hello("beta"));
      passed_on();
      const auto hello = peer.receive();
      EXPECT_TRUE(hello && hello->has_hello());
      EXPECT_FALSE(peer.could_resume());
      for (const int number : {1, 2, 3}) {
        middle.stage = number;
        peer.send(numbered(number));
        passed_on();
      }
      while (!over) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    });
    run_until([&] { return alpha->received.size() == 3 || !alpha->lost.empty(); });
    over = true;
    run_until([&] { return beta.done() && in_the_middle.done(); });
  }

  std::vector<int> heard() const {
    std::vector<int> out;
    for (const Incoming& incoming : alpha->received) out.push_back(number_of(incoming.message));
    return out;
  }

  std::unique_ptr<Node> alpha;
  std::atomic<bool> over = false;
};

Middle::Records as_it_was(int, const Bytes& record) { return {record}; }

// The control: who changes nothing isn't noticed.
TEST_F(Replay, PassedOnAsItWas) {
  Middle middle({address_of_host(1), cluster::default_port});
  talk_through(middle, as_it_was);
  EXPECT_EQ(heard(), (std::vector{1, 2, 3}));
}

TEST_F(Replay, OfAWholeSession) {
  Middle middle({address_of_host(1), cluster::default_port});
  talk_through(middle, as_it_was);
  alpha->refused.clear();
  const Beside again([&] { middle.say_again(); });
  run_until([&] { return again.done() && !alpha->refused.empty(); });
  EXPECT_EQ(heard(), (std::vector{1, 2, 3})) << "heard a second time";
}

TEST_F(Replay, OfOneMessage) {
  Middle middle({address_of_host(1), cluster::default_port});
  talk_through(middle, [](int message, const Bytes& record) {
    return message == 2 ? Middle::Records{record, record} : Middle::Records{record};
  });
  EXPECT_EQ(heard(), (std::vector{1, 2})) << "the repetition ends the session";
}

TEST_F(Replay, InAnotherOrder) {
  Middle middle({address_of_host(1), cluster::default_port});
  Bytes second;
  talk_through(middle, [&](int message, const Bytes& record) {
    if (message == 2) second = record;
    if (message == 3) return Middle::Records{record, second};
    return message == 2 ? Middle::Records{} : Middle::Records{record};
  });
  EXPECT_EQ(heard(), std::vector{1});
}

TEST_F(Replay, WithOneMissing) {
  Middle middle({address_of_host(1), cluster::default_port});
  talk_through(middle, [](int message, const Bytes& record) {
    return message == 2 ? Middle::Records{} : Middle::Records{record};
  });
  EXPECT_EQ(heard(), std::vector{1});
}

}  // namespace
}  // namespace sockswap::mesh
