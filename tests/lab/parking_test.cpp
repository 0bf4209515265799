// "I have moved": ends that were left with the daemon come to where their program now is.
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <csignal>
#include <thread>

#include "base/rights.h"
#include "lab/fixture.h"

namespace sockswap::test {
namespace {

class ParkedEnds : public LabTest {
 protected:
  static constexpr std::size_t half = 300'000;
};

TEST_F(ParkedEnds, FollowTheirProgram) {
  auto [stayer, fd] = connect("alpha", "beta", false, false, false, {.send = 2 * half, .receive = 2 * half});
  receive_ramp(fd, 0, half);
  send_ramp(fd, 0, half);
  std::string ticket;
  {
    Client leaving = client("beta");
    ticket = leaving.park(fd.release(), std::string("what I know"));
  }  // the program is gone; the daemon holds the end
  Client arrived = client("gamma");
  Arrival arrival = arrived.have_moved(ticket);
  EXPECT_EQ(arrival.state().text(), "what I know");
  EXPECT_STREQ(arrival.from(), "beta");
  const Fd here(arrival.take_fd());
  receive_ramp(here, half, half);
  send_ramp(here, half, half);
  finish_writing(here);
  expect_end(here);
  EXPECT_EQ(stayer.verdict(2 * half, 2 * half), "");
}

TEST_F(ParkedEnds, ComeBackToOneThatNeverLeft) {
  auto [stayer, fd] = connect("alpha", "beta", true, true, false, {.send = half, .receive = half});
  Client program = client("beta");
  const std::string ticket = program.park(fd.release());
  Arrival arrival = program.have_moved(ticket);
  const Fd here(arrival.take_fd());
  EXPECT_THROW((void)program.have_moved(ticket), Failure) << "it serves once";
  receive_ramp(here, 0, half);
  send_ramp(here, 0, half);
  finish_writing(here);
  expect_end(here);
  EXPECT_EQ(stayer.verdict(half, half), "");
}

// Its daemon is killed, or ended in order, while they are parked.
class ParkedOver : public ParkedEnds, public ::testing::WithParamInterface<int> {};
TEST_P(ParkedOver, ATicketOutlivesItsDaemon) {
  auto [stayer, fd] = connect("alpha", "beta", false, false, false, {.send = half, .receive = half});
  const std::string ticket = client("beta").park(fd.release(), std::string("what I know"));
  ASSERT_TRUE(cluster().daemon("beta").kill(GetParam()));
  ASSERT_TRUE(cluster().daemon("beta").wait());
  ASSERT_TRUE(cluster().start_daemon("beta"));
  Client arrived = client("gamma");
  Arrival arrival = arrived.have_moved(ticket);
  EXPECT_EQ(arrival.state().text(), "what I know");
  const Fd here(arrival.take_fd());
  receive_ramp(here, 0, half);
  send_ramp(here, 0, half);
  finish_writing(here);
  expect_end(here);
  EXPECT_EQ(stayer.verdict(half, half), "");
  EXPECT_THROW((void)arrived.have_moved(ticket), Failure) << "it serves once";
}
INSTANTIATE_TEST_SUITE_P(Signals, ParkedOver, ::testing::Values(SIGKILL, SIGTERM), [](const auto& of) {
  return std::string(of.param == SIGKILL ? "killed" : "ended_in_order");
});

// The two hosts lose each other when the move is committed and not yet over.
TEST_F(ParkedEnds, ArriveAlthoughTheSessionBreaksAtTheCommit) {
  auto [stayer, fd] = connect("alpha", "beta", true, false, false, {.send = half, .receive = half});
  const std::string ticket = client("beta").park(fd.release());
  // The peer is far away: that leaves 300 ms between the question to the arbiter and its Swapped.
  ASSERT_TRUE(host("alpha").set_link({.delay = std::chrono::milliseconds(150)}));
  std::optional<Arrival> arrival;
  std::thread fetching([&] { arrival.emplace(client("gamma").have_moved(ticket)); });
  const auto deciding = [&] {
    const auto moves = host("beta").run({SOCKSWAP, "moves", "--json"});
    return moves && moves->out.find(R"("state":"deciding")") != std::string::npos;
  };
  while (!deciding()) ::usleep(1000);
  const auto cut = host("beta").run({"ss", "-K", "dst", host("gamma").v4().text()});
  fetching.join();
  ASSERT_TRUE(host("alpha").set_link({}));
  EXPECT_NE(cut->out.find("7337"), std::string::npos) << "no session was there to break: " << cut->out;
  ASSERT_TRUE(arrival);
  const Fd here(arrival->take_fd());
  receive_ramp(here, 0, half);
  send_ramp(here, 0, half);
  finish_writing(here);
  expect_end(here);
  EXPECT_EQ(stayer.verdict(half, half), "");
}

// A program leaves a socket behind whose last close() waits for an hour.
TEST_F(ParkedEnds, ASocketThatLingersDoesntHoldTheDaemonUp) {
  const std::uint16_t port = next_port();
  const Fd listener = listen_on("alpha", {host("alpha").v4(), port});
  Fd lingering = connect_from("beta", {host("alpha").v4(), port});
  const Fd other_end = accept_from(listener);
  const linger an_hour{.l_onoff = 1, .l_linger = 3600};
  ASSERT_EQ(::setsockopt(lingering.get(), SOL_SOCKET, SO_LINGER, &an_hour, sizeof an_hour), 0);
  fill(lingering, 0, 100'000'000);
  Fd control = host("beta").inside([] {
    Fd out(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_un address{.sun_family = AF_UNIX, .sun_path = "/run/sockswap/control.sock"};
    EXPECT_EQ(::connect(out.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    return out;
  });
  const int passed[] = {lingering.get()};
  ASSERT_TRUE(
      send_some(control.get(), view_of({"\0", 1}), passed));  // the beginning of a request, and no more
  lingering = Fd(::open("/dev/null", O_RDONLY | O_CLOEXEC));  // not closed by us last: that would wait here
  control.reset();
  EXPECT_NO_THROW(client("beta").register_receiver("still-served"));
}

TEST_F(ParkedEnds, ATicketServesOnceAndOnlyIfItIsOne) {
  auto [stayer, fd] = connect("alpha", "beta", true, false, false, {.receive = 1});
  const std::string ticket = client("beta").park(fd.release());
  const auto refusal = [&](const std::string& shown) {
    try {
      client("gamma").have_moved(shown);
    } catch (const Failure& failure) {
      return failure.code();
    }
    return SOCKSWAP_OK;
  };
  EXPECT_EQ(refusal("nonsense"), SOCKSWAP_USAGE);
  EXPECT_EQ(refusal("delta/00000000000000000000000000000000"), SOCKSWAP_UNKNOWN_HOST);
  EXPECT_EQ(refusal("beta/00000000000000000000000000000000"), SOCKSWAP_NOT_FOUND);
  EXPECT_EQ(refusal(ticket), SOCKSWAP_OK);
  EXPECT_EQ(refusal(ticket), SOCKSWAP_NOT_FOUND) << "a second time";
}

}  // namespace
}  // namespace sockswap::test
