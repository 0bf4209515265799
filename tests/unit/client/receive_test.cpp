// sockswap_register(), sockswap_next(), sockswap_have_moved() and what events tell.
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstring>

#include "abi_fixture.h"

namespace sockswap::client_test {
namespace {

wire::Reply done(const wire::Request& request) {
  wire::Reply reply = reply_to(request);
  reply.mutable_done();
  return reply;
}

class Receive : public Abi {
 protected:
  sockswap_event* next(int timeout_ms = -1) {
    sockswap_event* event = nullptr;
    EXPECT_EQ(sockswap_next(s, timeout_ms, &event), 1) << text();
    return event;
  }
  TcpPair pair;
};

TEST_F(Receive, RegistersWithItsFlags) {
  start([](Peer& peer) {
    for (const bool hands_over : {false, true}) {
      const auto got = peer.read();
      ASSERT_TRUE(got && got->request.has_register_());
      EXPECT_EQ(got->request.register_().receiver(), "chat");
      EXPECT_EQ(got->request.register_().hands_over(), hands_over);
      peer.send(done(got->request));
    }
    peer.wait_for_close();
  });
  EXPECT_EQ(sockswap_register(s, "chat", 0), 0) << text();
  EXPECT_EQ(sockswap_register(s, "chat", SOCKSWAP_HANDS_OVER), 0) << text();
  EXPECT_EQ(sockswap_register(s, "chat", 0x80), -SOCKSWAP_USAGE);
  EXPECT_EQ(sockswap_register(s, "no such/name", 0), -SOCKSWAP_USAGE);
}

TEST_F(Receive, RegistrationNeverLeavesDoubt) {
  start([](Peer& peer) { peer.read(); });
  EXPECT_EQ(sockswap_register(s, "chat", 0), -SOCKSWAP_NO_DAEMON);
}

TEST_F(Receive, TellsEverythingAboutAnArrival) {
  TcpPair wide(AF_INET6);
  const std::vector<int> fds{pair.one.get(), wide.one.get()};
  start([&](Peer& peer) {
    peer.send(arrival_of(fds), {bytes_of("state")}, fds);
    peer.wait_for_close();
  });
  sockswap_event* event = next();
  EXPECT_EQ(sockswap_event_kind_of(event), SOCKSWAP_ARRIVAL);
  EXPECT_STREQ(sockswap_event_host(event), "alpha");
  std::size_t size = 0;
  const void* state = sockswap_event_state(event, &size);
  EXPECT_EQ(std::string(static_cast<const char*>(state), size), "state");
  ASSERT_EQ(sockswap_event_count(event), 2u);
  for (std::size_t i = 0; i < 2; ++i) {
    sockaddr_storage local{}, remote{}, former{}, wanted{};
    ASSERT_EQ(sockswap_event_addresses(event, i, &local, &remote, &former), 0);
    ASSERT_EQ(sockswap_event_addresses(event, i, nullptr, nullptr, nullptr), 0);
    const int fd = sockswap_event_take_fd(event, i);
    ASSERT_GE(fd, 0);
    EXPECT_EQ(sockswap_event_take_fd(event, i), -1);
    socklen_t length = sizeof wanted;
    ASSERT_EQ(::getsockname(fd, reinterpret_cast<sockaddr*>(&wanted), &length), 0);
    EXPECT_EQ(std::memcmp(&local, &wanted, length), 0);
    ASSERT_EQ(::getpeername(fd, reinterpret_cast<sockaddr*>(&wanted), &length), 0);
    EXPECT_EQ(std::memcmp(&remote, &wanted, length), 0);
    EXPECT_EQ(former.ss_family, i == 0 ? AF_INET : AF_INET6);
    EXPECT_EQ(reinterpret_cast<const sockaddr_in&>(former).sin_port, htons(6));
    ::close(fd);
  }
  EXPECT_EQ(sockswap_event_addresses(event, 2, nullptr, nullptr, nullptr), -SOCKSWAP_USAGE);
  EXPECT_EQ(sockswap_event_take_fd(event, 2), -1);
  sockswap_event_free(event);
  sockswap_event_free(nullptr);
}

TEST_F(Receive, ClosesWhatWasNotTaken) {
  start([this](Peer& peer) {
    peer.send(arrival_of({pair.one.get()}), {}, {pair.one.get()});
    peer.wait_for_close();
  });
  sockswap_event* event = next();
  pair.one.reset();
  EXPECT_FALSE(is_readable(pair.other.get()));  // the event's own descriptor keeps it alive
  std::size_t size = 1;
  EXPECT_EQ(sockswap_event_state(event, &size), nullptr);
  EXPECT_EQ(size, 0u);
  sockswap_event_free(event);
  EXPECT_TRUE(is_readable(pair.other.get()));
  char byte = 0;
  EXPECT_EQ(::recv(pair.other.get(), &byte, 1, MSG_DONTWAIT), 0);
}

TEST_F(Receive, TellsWhichConnectionIsWanted) {
  start([this](Peer& peer) {
    peer.send(hand_over_of(pair.one.get(), 77));
    peer.wait_for_close();
  });
  sockswap_event* event = next();
  EXPECT_EQ(sockswap_event_kind_of(event), SOCKSWAP_HAND_OVER);
  EXPECT_STREQ(sockswap_event_host(event), "gamma");
  EXPECT_STREQ(sockswap_event_receiver(event), "chat");
  EXPECT_EQ(sockswap_event_hand_over(event), 77u);
  EXPECT_EQ(sockswap_event_take_fd(event, 0), -1);
  sockswap_event_free(event);
}

TEST_F(Receive, WaitsNoLongerThanItWasTold) {
  start([](Peer& peer) { peer.wait_for_close(); });
  sockswap_event* event = nullptr;
  EXPECT_EQ(sockswap_next(s, 0, &event), 0);
  EXPECT_EQ(sockswap_next(s, 1, &event), 0);
  EXPECT_EQ(event, nullptr);
  EXPECT_FALSE(is_readable(sockswap_fd(s)));
}

// What arrived in front of an answer has left the socket: only the library can still say that it is there.
TEST_F(Receive, QueuesEventsThatComeWhileACallWaits) {
  start([this](Peer& peer) {
    const auto got = peer.read();
    peer.send(hand_over_of(pair.one.get(), 1));
    peer.send(arrival_of({pair.one.get()}), {}, {pair.one.get()});
    peer.send(done(got->request));
    peer.wait_for_close();
  });
  ASSERT_EQ(sockswap_register(s, "chat", 0), 0) << text();
  EXPECT_TRUE(is_readable(sockswap_fd(s)));
  sockswap_event* first = next(0);
  EXPECT_EQ(sockswap_event_kind_of(first), SOCKSWAP_HAND_OVER);
  EXPECT_TRUE(is_readable(sockswap_fd(s)));
  sockswap_event* second = next(0);
  EXPECT_EQ(sockswap_event_kind_of(second), SOCKSWAP_ARRIVAL);
  EXPECT_FALSE(is_readable(sockswap_fd(s)));
  sockswap_event* none = nullptr;
  EXPECT_EQ(sockswap_next(s, 0, &none), 0);
  sockswap_event_free(first);
  sockswap_event_free(second);
}

TEST_F(Receive, DeliversEventsThatCameBeforeTheDaemonWent) {
  start([this](Peer& peer) {
    const auto got = peer.read();
    peer.send(hand_over_of(pair.one.get(), 1));
    peer.send(done(got->request));
  });
  ASSERT_EQ(sockswap_register(s, "chat", 0), 0);
  sockswap_event* event = next();
  sockswap_event_free(event);
  EXPECT_EQ(sockswap_next(s, -1, &event), -SOCKSWAP_NO_DAEMON);
  EXPECT_EQ(event, nullptr);
  EXPECT_TRUE(is_readable(sockswap_fd(s)));  // an event loop that looks again is told again
}

// Nothing is left to read, nor has the daemon closed: only the library knows that this is the end.
TEST_F(Receive, TellsAnEventLoopThatTheConnectionIsUseless) {
  start([](Peer& peer) {
    peer.send_raw(view_of("HTTP/1.1 400 Bad Request\r\n\r\n"));
    peer.wait_for_close();
  });
  sockswap_event* event = nullptr;
  EXPECT_LT(sockswap_next(s, -1, &event), 0);
  EXPECT_TRUE(is_readable(sockswap_fd(s)));
}

TEST_F(Receive, RefusesAnArrivalWhoseEndsAreNotItsDescriptors) {
  TcpPair wide(AF_INET6);
  const Fd file(::open("/dev/null", O_RDWR | O_CLOEXEC));
  start([&](Peer& peer) {
    const int one = pair.one.get();
    peer.send(arrival_of({one, one}), {}, {one});                         // fewer
    peer.send(arrival_of({one}), {}, {one, one});                         // more
    peer.send(arrival_of({one}), {}, {file.get()});                       // no socket
    peer.send(arrival_of({wide.one.get()}), {}, {one});                   // another family
    peer.send(arrival_of({one}), {bytes_of("a"), bytes_of("b")}, {one});  // two states
    peer.send(arrival_of({one}), {}, {one});
    peer.wait_for_close();
  });
  sockswap_event* event = nullptr;
  for (int i = 0; i < 5; ++i) EXPECT_EQ(sockswap_next(s, -1, &event), -SOCKSWAP_INTERNAL) << i;
  event = next();  // the stream itself was never in doubt
  EXPECT_EQ(sockswap_event_count(event), 1u);
  sockswap_event_free(event);
}

TEST_F(Receive, BringsParkedEndsHere) {
  start([this](Peer& peer) {
    auto got = peer.read();
    ASSERT_TRUE(got && got->request.has_have_moved());
    EXPECT_EQ(got->request.have_moved().ticket(), "alpha/abc");
    wire::Reply reply = arrival_of({pair.one.get()});
    reply.set_number(got->request.number());
    peer.send(reply, {bytes_of("state")}, {pair.one.get()});
    got = peer.read();
    ASSERT_TRUE(got);
    peer.send(failed(got->request, SOCKSWAP_NOT_FOUND, "no such ticket"));
    peer.wait_for_close();
  });
  sockswap_event* event = nullptr;
  ASSERT_EQ(sockswap_have_moved(s, "alpha/abc", &event), 0) << text();
  EXPECT_EQ(sockswap_event_count(event), 1u);
  sockswap_event_free(event);
  EXPECT_EQ(sockswap_have_moved(s, "alpha/xyz", &event), -SOCKSWAP_NOT_FOUND);
  EXPECT_EQ(event, nullptr);
  EXPECT_EQ(sockswap_have_moved(s, "", &event), -SOCKSWAP_USAGE);
}

}  // namespace
}  // namespace sockswap::client_test
