// The same end again and again, either end, several ends at once, and ends that meet on one host.
#include <sys/socket.h>

#include <span>
#include <thread>

#include "lab/fixture.h"

namespace sockswap::test {
namespace {

class Chain : public LabTest {
 protected:
  // Moves the end from stop to stop, with `step` bytes of the ramp each way at every one, and ends the
  // stream.
  static void talk_at_each(Fd moving, std::span<const char* const> stops, std::size_t step) {
    for (std::size_t i = 0;; ++i) {
      receive_ramp(moving, i * step, step);
      send_ramp(moving, i * step, step);
      if (i + 1 == stops.size()) break;
      moving = move(std::move(moving), stops[i], stops[i + 1]);
    }
    finish_writing(moving);
    expect_end(moving);
  }
};

TEST_F(Chain, AHundredMovesWhileBothDirectionsFlow) {
  constexpr std::size_t step = 40'000, moves = 101;
  auto [stayer, moving] = connect("alpha", "beta", true, false, false,
                                  {.calls = "epoll-edge", .send = step * moves, .receive = step * moves});
  std::string here = "beta";
  for (std::size_t i = 0; i < moves; ++i) {
    receive_ramp(moving, i * step, step);
    send_ramp(moving, i * step, step);
    if (i + 1 == moves) break;  // the stayer has all it wanted, and closes
    const std::string there = here == "beta" ? "gamma" : "beta";
    moving = move(std::move(moving), here, there);
    here = there;
  }
  finish_writing(moving);
  expect_end(moving);
  EXPECT_EQ(stayer.verdict(step * moves, step * moves), "");
}

TEST_F(Chain, RoundAllHostsOverTheStayersOwnAndHome) {
  constexpr std::size_t step = 300'000;
  const char* stops[] = {"beta", "gamma", "alpha", "gamma", "beta"};
  auto [stayer, moving] =
      connect("alpha", "beta", false, true, false, {.send = step * 5, .receive = step * 5});
  talk_at_each(std::move(moving), stops, step);
  EXPECT_EQ(stayer.verdict(step * 5, step * 5), "");
}

TEST_F(Chain, AConnectionOfOneHostsLoopbackBecomesARealOneAndMeetsAgain) {
  constexpr std::size_t step = 500'000;
  // The stayer is on beta and is dialled at 127.0.0.1.
  const std::uint16_t port = next_port();
  lab::Command command{.argv = {STAYER, "listen", "127.0.0.1", std::to_string(port), "--send",
                                std::to_string(step * 3), "--receive", std::to_string(step * 3)},
                       .in = lab::Stdio::pipe(),
                       .out = lab::Stdio::pipe(),
                       .err = lab::Stdio::pipe()};
  Stayer stayer{host("beta").spawn(command).value()};
  ASSERT_EQ(stayer.process.read_line().value(), "listening");
  Fd moving = connect_from("beta", Endpoint::parse("127.0.0.1:" + std::to_string(port)).value());
  const char* stops[] = {"beta", "gamma", "alpha"};
  talk_at_each(std::move(moving), stops, step);
  EXPECT_EQ(stayer.verdict(step * 3, step * 3), "");
}

TEST_F(Chain, SeveralEndsOfSeveralHostsInOneMove) {
  constexpr std::size_t half = 400'000;
  struct One {
    Stayer stayer;
    Fd fd;
  };
  std::vector<One> all;
  for (const char* on : {"alpha", "alpha", "gamma", "alpha"}) {
    auto connected = connect(on, "beta", all.size() % 2 == 0, all.size() % 3 == 0, false,
                             {.send = 2 * half, .receive = 2 * half});
    all.push_back({std::move(connected.stayer), std::move(connected.moving)});
  }
  std::vector<int> fds;
  for (One& one : all) {
    receive_ramp(one.fd, 0, half);
    send_ramp(one.fd, 0, half);
    fds.push_back(one.fd.release());
  }
  Client there = client("gamma");
  there.register_receiver("many");
  client("beta").move(fds, "gamma", "many");
  auto event = there.next(std::chrono::seconds(20));
  ASSERT_TRUE(event);
  auto& arrival = std::get<Arrival>(*event);
  ASSERT_EQ(arrival.count(), all.size());
  for (std::size_t i = 0; i < all.size(); ++i) {
    const Fd fd(arrival.take_fd(i));
    receive_ramp(fd, half, half);
    send_ramp(fd, half, half);
    finish_writing(fd);
    expect_end(fd);
    EXPECT_EQ(all[i].stayer.verdict(2 * half, 2 * half), "") << "end " << i;
  }
}

// Not on a plain descriptor: SO_KEEPALIVE and the like must arrive with the end.
TEST_F(Chain, OptionsArriveWithTheEnd) {
  auto [stayer, moving] = connect("alpha", "beta", true, false, false, {.receive = 1});
  const int idle = 77, on = 1;
  ASSERT_EQ(::setsockopt(moving.get(), SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on), 0);
  ASSERT_EQ(::setsockopt(moving.get(), IPPROTO_TCP, 4 /* TCP_KEEPIDLE */, &idle, sizeof idle), 0);
  moving = move(std::move(moving), "beta", "gamma");
  int value = 0;
  socklen_t size = sizeof value;
  ASSERT_EQ(::getsockopt(moving.get(), SOL_SOCKET, SO_KEEPALIVE, &value, &size), 0);
  EXPECT_EQ(value, 1);
  ASSERT_EQ(::getsockopt(moving.get(), IPPROTO_TCP, 4, &value, &size), 0);
  EXPECT_EQ(value, idle);
  send_ramp(moving, 0, 1);
  finish_writing(moving);
  expect_end(moving);
  EXPECT_EQ(stayer.verdict(0, 1), "");
}

}  // namespace
}  // namespace sockswap::test
