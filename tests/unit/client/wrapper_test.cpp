// The C++ wrapper.
#include <gtest/gtest.h>

#include <sockswap/sockswap.hpp>

#include "test_daemon.h"

namespace sockswap::client_test {
namespace {

struct Game {
  int level;
  double score;
};

// Answers like a daemon: says Done, Moved and Parked to everything, after a hand-over and an arrival.
void obliging(Peer& peer, const std::vector<wire::Reply>& events, int fd) {
  for (const wire::Reply& event : events) {
    if (event.has_arrival()) {
      peer.send(event, {bytes_of("state")}, {fd});
    } else {
      peer.send(event);
    }
  }
  while (const auto got = peer.read()) {
    wire::Reply reply = reply_to(got->request);
    if (got->request.has_move()) {
      wire::Reply step = reply;
      step.mutable_progress()->mutable_step()->set_name("frozen");
      peer.send(step);
      reply.mutable_moved()->set_move_id(
          got->attachments.empty() ? "" : std::string(text_of(got->attachments[0])));
      reply.mutable_moved()->set_pause_us(static_cast<double>(got->request.move().hand_over()));
    } else if (got->request.has_park()) {
      reply.mutable_parked()->set_ticket("alpha/1");
    } else if (got->request.has_declined()) {
      continue;
    } else {
      reply.mutable_done();
    }
    peer.send(reply);
  }
}

TEST(Wrapper, ThrowsWithCodeTextAndHint) {
  try {
    Client client("/nonexistent/control.sock");
    FAIL();
  } catch (const Failure& failure) {
    EXPECT_EQ(failure.code(), SOCKSWAP_NO_DAEMON);
    EXPECT_STREQ(failure.name(), "no-daemon");
    EXPECT_NE(std::string(failure.what()).find("/nonexistent"), std::string::npos);
    EXPECT_FALSE(failure.hint().empty());
  }
}

TEST(Wrapper, DeliversEventsAsTypes) {
  TcpPair pair;
  TestDaemon daemon([&](Peer& peer) {
    obliging(peer, {hand_over_of(pair.one.get(), 9), arrival_of({pair.one.get()})}, pair.one.get());
  });
  Client client(daemon.path());
  client.register_receiver("chat", Client::Role::receives_and_hands_over);
  auto event = client.next();
  ASSERT_TRUE(event);
  auto& wanted = std::get<HandOver>(*event);
  EXPECT_TRUE(wanted.wants(pair.one.get()));
  EXPECT_FALSE(wanted.wants(pair.other.get()));
  EXPECT_FALSE(wanted.wants(-1));
  client.decline(wanted, "busy");
  EXPECT_EQ(client.move(wanted, pair.one.get()).pause.count(), 9);
  (void)pair.one.release();

  event = client.next();
  ASSERT_TRUE(event);
  auto& arrival = std::get<Arrival>(*event);
  EXPECT_EQ(arrival.state().text(), "state");
  EXPECT_STREQ(arrival.from(), "alpha");
  EXPECT_EQ(arrival.addresses().local.ss_family, AF_INET);
  EXPECT_THROW(arrival.addresses(1), std::out_of_range);
  EXPECT_FALSE(arrival.state().as<Game>());
  const Fd taken(arrival.take_fd());
  EXPECT_TRUE(taken);
  EXPECT_FALSE(client.next(std::chrono::milliseconds(0)));
}

// A dual-stack socket spells an IPv4 connection the long way; the daemon the short one.
TEST(Wrapper, KnowsAConnectionInEitherSpelling) {
  TcpPair pair;
  const Fd listener(::socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in6 any{};
  any.sin6_family = AF_INET6;
  socklen_t size = sizeof any;
  ASSERT_EQ(::bind(listener.get(), reinterpret_cast<sockaddr*>(&any), size), 0);
  ASSERT_EQ(::listen(listener.get(), 1), 0);
  ASSERT_EQ(::getsockname(listener.get(), reinterpret_cast<sockaddr*>(&any), &size), 0);
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = any.sin6_port;
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const Fd one(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  ASSERT_EQ(::connect(one.get(), reinterpret_cast<sockaddr*>(&to), sizeof to), 0);
  const Fd accepted(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
  TestDaemon daemon([&](Peer& peer) { obliging(peer, {hand_over_of(accepted.get(), 1)}, -1); });
  Client client(daemon.path());
  const auto event = client.next();
  ASSERT_TRUE(event);
  EXPECT_EQ(std::get<HandOver>(*event).addresses().local.ss_family, AF_INET);
  EXPECT_TRUE(std::get<HandOver>(*event).wants(accepted.get()));
  EXPECT_FALSE(std::get<HandOver>(*event).wants(one.get()));
}

TEST(Wrapper, TakesStatesAndEndsOfManyKinds) {
  TcpPair a, b;
  TestDaemon daemon([](Peer& peer) { obliging(peer, {}, -1); });
  Client client(daemon.path());
  const std::vector<int> ends{a.one.release(), a.other.release()};
  const Moved moved = client.move(ends, "gamma", "chat", std::string("0123456789abcdef"));
  EXPECT_EQ(std::string(moved.move_id.begin(), moved.move_id.end()), "0123456789abcdef");
  const Game game{3, 4.5};
  EXPECT_EQ(client.park(b.one.release(), StateView::of(game)), "alpha/1");
  EXPECT_EQ(StateView::of(game).as<Game>()->score, 4.5);
}

TEST(Wrapper, RethrowsWhatProgressThrewWhenTheMoveIsOver) {
  TcpPair pair;
  TestDaemon daemon([](Peer& peer) { obliging(peer, {}, -1); });
  Client client(daemon.path());
  MoveOptions options;
  options.progress = [](const char* step, double) { throw std::runtime_error(step); };
  const int fd = pair.one.release();
  EXPECT_THROW(client.move(fd, "gamma", "chat", {}, options), std::runtime_error);
  EXPECT_FALSE(is_open(fd));
}

}  // namespace
}  // namespace sockswap::client_test
