// sockswap_move(), sockswap_park(), sockswap_decline().
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include <atomic>
#include <cstring>

#include "abi_fixture.h"

namespace sockswap::client_test {
namespace {

wire::Reply moved(const wire::Request& request) {
  wire::Reply reply = reply_to(request);
  reply.mutable_moved()->set_move_id("0123456789abcdef");
  reply.mutable_moved()->set_pause_us(1234.5);
  return reply;
}

wire::Reply progress(const wire::Request& request, const std::string& name, double at_us) {
  wire::Reply reply = reply_to(request);
  reply.mutable_progress()->mutable_step()->set_name(name);
  reply.mutable_progress()->mutable_step()->set_at_us(at_us);
  return reply;
}

class Move : public Abi {
 protected:
  TcpPair pair;
};

TEST_F(Move, HandsOverTheEndAndItsState) {
  start([this](Peer& peer) {
    auto got = peer.read();
    ASSERT_TRUE(got);
    const wire::Move& asked = got->request.move();
    EXPECT_EQ(asked.to(), "gamma");
    EXPECT_EQ(asked.receiver(), "chat");
    EXPECT_EQ(asked.deadline_ms(), 700u);
    EXPECT_EQ(asked.hand_over(), 42u);
    EXPECT_EQ(text_of(got->attachments.at(0)), "state");
    ASSERT_EQ(got->fds.size(), 1u);
    EXPECT_EQ(::send(got->fds[0].get(), "x", 1, 0), 1);
    char byte = 0;
    EXPECT_EQ(::recv(pair.other.get(), &byte, 1, 0), 1);
    peer.send(progress(got->request, "frozen", 10));
    peer.send(progress(got->request, "committed", 900.5));
    peer.send(moved(got->request));
    peer.wait_for_close();
  });
  std::string steps;
  sockswap_move_options options{};
  options.size = sizeof options;
  options.deadline_ms = 700;
  options.hand_over = 42;
  options.context = &steps;
  options.progress = [](void* context, const char* step, double at_us) {
    *static_cast<std::string*>(context) += step + std::to_string(static_cast<int>(at_us)) + " ";
  };
  sockswap_move_result result{};
  result.size = sizeof result;
  const int fd = pair.one.release();
  EXPECT_EQ(move(fd, "state", &options, &result), 0) << text();
  EXPECT_FALSE(is_open(fd));
  EXPECT_EQ(steps, "frozen10 committed900 ");
  EXPECT_EQ(std::memcmp(result.move_id, "0123456789abcdef", 16), 0);
  EXPECT_EQ(result.pause_us, 1234.5);
}

TEST_F(Move, LeavesTheEndOpenWhenItFails) {
  start([](Peer& peer) {
    const auto got = peer.read();
    ASSERT_TRUE(got);
    peer.send(failed(got->request, SOCKSWAP_UNKNOWN_RECEIVER, "gamma has no\nreceiver\x1b[2J", "start it"));
    peer.wait_for_close();
  });
  EXPECT_EQ(move(pair.one.get()), -SOCKSWAP_UNKNOWN_RECEIVER);
  EXPECT_TRUE(is_open(pair.one.get()));
  EXPECT_EQ(text(), "gamma has no receiver [2J");  // one line, and nothing that a terminal obeys
  EXPECT_STREQ(sockswap_error_hint(s), "start it");
}

TEST_F(Move, PassesOnANewerDaemonsError) {
  start([](Peer& peer) {
    const auto got = peer.read();
    peer.send(failed(got->request, 77, ""));
    peer.wait_for_close();
  });
  EXPECT_EQ(move(pair.one.get()), -77);
  EXPECT_EQ(text(), "unknown-error");
  EXPECT_STREQ(sockswap_error_name(-77), "unknown-error");
}

TEST_F(Move, ChecksItsArgumentsBeforeAnythingIsSent) {
  start([](Peer& peer) { EXPECT_FALSE(peer.read()); });
  const int fd = pair.one.get();
  const auto moving = [&](const std::vector<int>& fds, const char* host, const char* receiver) {
    return sockswap_move(s, fds.data(), fds.size(), host, receiver, nullptr, 0, nullptr, nullptr);
  };
  const Fd file(::open("/dev/null", O_RDWR | O_CLOEXEC));
  EXPECT_EQ(moving({}, "gamma", "chat"), -SOCKSWAP_USAGE);
  EXPECT_EQ(moving({fd, file.get()}, "gamma", "chat"), -SOCKSWAP_USAGE);
  EXPECT_NE(text().find("is not a socket"), std::string::npos) << text();
  EXPECT_EQ(moving({fd, -1}, "gamma", "chat"), -SOCKSWAP_USAGE);
  EXPECT_EQ(moving({fd, fd}, "gamma", "chat"), -SOCKSWAP_USAGE);
  EXPECT_EQ(moving({fd}, "", "chat"), -SOCKSWAP_USAGE);
  EXPECT_EQ(moving({fd}, nullptr, "chat"), -SOCKSWAP_USAGE);
  for (const std::string& name :
       {std::string(), std::string(65, 'x'), std::string("a/b"), std::string("a b")})
    EXPECT_EQ(moving({fd}, "gamma", name.c_str()), -SOCKSWAP_USAGE) << name;
  EXPECT_EQ(sockswap_move(s, &fd, 1, "gamma", "chat", nullptr, 5, nullptr, nullptr), -SOCKSWAP_USAGE);
  EXPECT_EQ(sockswap_move(nullptr, &fd, 1, "gamma", "chat", nullptr, 0, nullptr, nullptr), -SOCKSWAP_USAGE);
}

TEST_F(Move, RefusesAStateThatIsTooLarge) {
  start([](Peer& peer) { EXPECT_FALSE(peer.read()); });
  const std::size_t size = (256u << 20) + 1;
  void* const reserved = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  ASSERT_NE(reserved, MAP_FAILED);
  const int fd = pair.one.get();
  EXPECT_EQ(sockswap_move(s, &fd, 1, "gamma", "chat", reserved, size, nullptr, nullptr), -SOCKSWAP_TOO_LARGE);
  ::munmap(reserved, size);
}

TEST_F(Move, IsInDoubtWhenTheDaemonGoesAwayAfterItWasAsked) {
  start([](Peer& peer) { peer.read(); });
  EXPECT_EQ(move(pair.one.get()), -SOCKSWAP_IN_DOUBT);
  EXPECT_TRUE(is_open(pair.one.get()));
  EXPECT_NE(text().find("closed the connection"), std::string::npos) << text();
  EXPECT_EQ(move(pair.one.get()), -SOCKSWAP_NO_DAEMON);  // nothing was asked this time
}

// Also that no SIGPIPE ends this program.
TEST_F(Move, HasNotHappenedWhenTheDaemonGoesAwayBeforeTheRequestIsWhole) {
  start([](Peer& peer) { peer.drop_bytes(1000); });
  EXPECT_EQ(move(pair.one.get(), std::string(8u << 20, 's')), -SOCKSWAP_NO_DAEMON);
  EXPECT_TRUE(is_open(pair.one.get()));
}

TEST_F(Move, HearsARefusalThatCutsItsRequestShort) {
  start([](Peer& peer) {
    peer.drop_bytes(1000);
    wire::Request first;
    first.set_number(1);
    peer.send(failed(first, SOCKSWAP_TOO_LARGE, "gamma takes no state"));
  });
  EXPECT_EQ(move(pair.one.get(), std::string(8u << 20, 's')), -SOCKSWAP_TOO_LARGE);
  EXPECT_EQ(text(), "gamma takes no state");
}

TEST_F(Move, IsInDoubtWhenTheAnswerIsGarbage) {
  start([](Peer& peer) {
    peer.read();
    peer.send_raw(view_of("HTTP/1.1 400 Bad Request\r\n\r\n"));
    peer.wait_for_close();
  });
  EXPECT_EQ(move(pair.one.get()), -SOCKSWAP_IN_DOUBT);
}

TEST_F(Move, IsInDoubtWhenTheAnswerIsOfAnotherKind) {
  start([](Peer& peer) {
    const auto got = peer.read();
    wire::Reply reply = reply_to(got->request);
    reply.mutable_done();
    peer.send(reply);
    peer.wait_for_close();
  });
  EXPECT_EQ(move(pair.one.get()), -SOCKSWAP_IN_DOUBT);
}

TEST_F(Move, DropsAnswersThatNobodyAwaits) {
  start([](Peer& peer) {
    const auto got = peer.read();
    wire::Request other;
    other.set_number(got->request.number() + 1000);
    peer.send(failed(other, SOCKSWAP_LOST, "not yours"));
    peer.send(moved(got->request));
    peer.wait_for_close();
  });
  EXPECT_EQ(move(pair.one.release()), 0);
}

std::atomic<int> signals{0};

TEST_F(Move, IsNotDisturbedBySignals) {
  struct sigaction count {};
  count.sa_handler = [](int) { ++signals; };  // without SA_RESTART
  struct sigaction before {};
  ASSERT_EQ(::sigaction(SIGUSR1, &count, &before), 0);
  const std::string state(4u << 20, 's');
  const pthread_t caller = ::pthread_self();
  start([&](Peer& peer) {
    const auto interrupt = [&] {
      for (const int target = signals + 20; signals < target; ::sched_yield())
        ::pthread_kill(caller, SIGUSR1);
    };
    interrupt();  // while it writes
    const auto got = peer.read();
    ASSERT_TRUE(got);
    EXPECT_EQ(text_of(got->attachments.at(0)), state);
    interrupt();  // while it waits
    peer.send(moved(got->request));
    peer.wait_for_close();
  });
  EXPECT_EQ(move(pair.one.release(), state), 0) << text();
  ::sigaction(SIGUSR1, &before, nullptr);
}

using Park = Move;

TEST_F(Park, GivesATicket) {
  const std::string secret = "alpha/0123456789abcdef0123456789abcdef";
  start([&](Peer& peer) {
    const auto got = peer.read();
    ASSERT_TRUE(got && got->request.has_park());
    EXPECT_EQ(got->fds.size(), 1u);
    EXPECT_EQ(text_of(got->attachments.at(0)), "state");
    wire::Reply reply = reply_to(got->request);
    reply.mutable_parked()->set_ticket(secret);
    peer.send(reply);
    peer.wait_for_close();
  });
  char ticket[SOCKSWAP_TICKET_SIZE];
  const int fd = pair.one.release();
  ASSERT_EQ(sockswap_park(s, &fd, 1, "state", 5, ticket), 0) << text();
  EXPECT_EQ(ticket, secret);
  EXPECT_FALSE(is_open(fd));
}

TEST_F(Park, NeverOverflowsTheTicket) {
  start([](Peer& peer) {
    const auto got = peer.read();
    wire::Reply reply = reply_to(got->request);
    reply.mutable_parked()->set_ticket(std::string(SOCKSWAP_TICKET_SIZE, 't'));
    peer.send(reply);
    peer.wait_for_close();
  });
  char ticket[SOCKSWAP_TICKET_SIZE];
  const int fd = pair.one.get();
  EXPECT_EQ(sockswap_park(s, &fd, 1, nullptr, 0, ticket), -SOCKSWAP_IN_DOUBT);
  EXPECT_TRUE(is_open(fd));
}

using Decline = Move;

TEST_F(Decline, SaysWhy) {
  start([this](Peer& peer) {
    peer.send(hand_over_of(pair.one.get(), 9));
    const auto got = peer.read();
    ASSERT_TRUE(got && got->request.has_declined());
    EXPECT_EQ(got->request.declined().number(), 9u);
    EXPECT_EQ(got->request.declined().reason(), "in the middle of a payment");
    peer.wait_for_close();
  });
  sockswap_event* event = nullptr;
  ASSERT_EQ(sockswap_next(s, -1, &event), 1);
  EXPECT_EQ(sockswap_decline(s, event, "in the middle of a payment"), 0);
  EXPECT_EQ(sockswap_decline(s, nullptr, "x"), -SOCKSWAP_USAGE);
  sockswap_event_free(event);
}

}  // namespace
}  // namespace sockswap::client_test
