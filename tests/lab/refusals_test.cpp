// What bad requests get: one line, a hint, the documented number; and the connection goes on where it was,
// byte for byte.
#include "lab/refusals.h"

#include <gmock/gmock.h>
#include <poll.h>
#include <sys/socket.h>

#include <csignal>
#include <thread>

namespace sockswap::test {
namespace {

using ::testing::HasSubstr;

// For a connection both of whose ends are this process's.
void expect_both_ways(const Fd& one, const Fd& other) {
  send_ramp(one, 0, 10'000);
  receive_ramp(other, 0, 10'000);
  send_ramp(other, 0, 10'000);
  receive_ramp(one, 0, 10'000);
}

TEST_F(Refusals, UnknownReceiver) {
  Talk talk = this->talk();
  EXPECT_EQ(refusal(talk.fd(), "gamma", "nobody"), SOCKSWAP_UNKNOWN_RECEIVER);
  talk.go_on_to_the_end();
}

TEST_F(Refusals, UnknownHost) {
  Talk talk = this->talk();
  EXPECT_EQ(refusal(talk.fd(), "delta", "test"), SOCKSWAP_UNKNOWN_HOST);
  talk.go_on_to_the_end();
}

TEST_F(Refusals, NoDaemonAtTheOtherEnd) {
  Talk talk = this->talk();
  Client there = client("gamma");
  there.register_receiver("test");
  ASSERT_TRUE(cluster().kill_daemon("alpha"));
  EXPECT_EQ(refusal(talk.fd(), "gamma", "test"), SOCKSWAP_NO_PEER_DAEMON);
  ASSERT_TRUE(cluster().start_daemon("alpha"));
  talk.go_on_to_the_end();
}

TEST_F(Refusals, NoDaemonAtTheDestination) {
  Talk talk = this->talk();
  ASSERT_TRUE(cluster().kill_daemon("gamma"));
  EXPECT_EQ(refusal(talk.fd(), "gamma", "test"), SOCKSWAP_UNREACHABLE);
  ASSERT_TRUE(cluster().start_daemon("gamma"));
  talk.go_on_to_the_end();
}

// The other end is on this machine, but on no host of the cluster.
TEST_F(Refusals, OtherEndOutsideTheCluster) {
  ASSERT_TRUE(
      host("beta")
          .run({"sh", "-c", "ip address add 10.250.0.1/32 dev lo && ip address add 10.250.0.2/32 dev lo"})
          ->status.ok());
  const Endpoint outside = Endpoint::parse("10.250.0.1:6000").value();
  const Fd listener = listen_on("beta", outside);
  const Fd fd = connect_from("beta", outside);
  const Fd other = accept_from(listener);
  const Failure said = what_moving_says(fd, "beta", "gamma", "test");
  EXPECT_EQ(said.code(), SOCKSWAP_NO_PEER_DAEMON);
  EXPECT_THAT(said.what(), HasSubstr("no host of the cluster has 10.250.0.1"));
  EXPECT_THAT(said.hint(), HasSubstr("sockswapd must run at both"));
  expect_both_ways(fd, other);
}

TEST_F(Refusals, NotConnected) {
  const std::uint16_t port = next_port();
  const Fd listener = listen_on("gamma", {host("gamma").v4(), port});
  const Fd fd = host("beta").inside([] { return Fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)); });
  const Failure said = what_moving_says(fd, "beta", "gamma", "test");
  EXPECT_EQ(said.code(), SOCKSWAP_NOT_MOVABLE);
  EXPECT_THAT(said.what(), HasSubstr("CLOSE"));
  EXPECT_THAT(said.hint(), HasSubstr("ESTABLISHED"));
  // It is as it was: it can be connected.
  sockaddr_storage address{};
  const socklen_t size = Endpoint{host("gamma").v4(), port}.to_sockaddr(AF_INET, address);
  ASSERT_EQ(::connect(fd.get(), reinterpret_cast<sockaddr*>(&address), size), 0);
  expect_both_ways(fd, accept_from(listener));
}

TEST_F(Refusals, NotTcp) {
  const Fd fd = host("beta").inside([] { return Fd(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)); });
  EXPECT_EQ(refusal(fd, "gamma", "test"), SOCKSWAP_NOT_MOVABLE);
}

TEST_F(Refusals, HalfClosed) {
  Connected connected = connect("alpha", "beta", true, false, false, {.send = piece});
  Client there = client("gamma");
  there.register_receiver("test");
  finish_writing(connected.moving);
  EXPECT_EQ(refusal(connected.moving, "gamma", "test"), SOCKSWAP_NOT_MOVABLE);
  receive_ramp(connected.moving, 0, piece);
  expect_end(connected.moving);
  EXPECT_EQ(connected.stayer.verdict(piece, 0), "");
}

TEST_F(Refusals, UrgentDataPending) {
  const std::uint16_t port = next_port();
  const Fd listener = listen_on("gamma", {host("gamma").v4(), port});
  const Fd sender = connect_from("beta", {host("gamma").v4(), port});
  const Fd holder = accept_from(listener);
  ASSERT_EQ(::send(sender.get(), "u", 1, MSG_OOB), 1);
  pollfd wait{holder.get(), POLLPRI, 0};
  ASSERT_EQ(::poll(&wait, 1, 10'000), 1);
  Client there = client("alpha");
  there.register_receiver("test");
  const Failure said = what_moving_says(holder, "gamma", "alpha", "test");
  EXPECT_EQ(said.code(), SOCKSWAP_NOT_MOVABLE);
  EXPECT_THAT(said.what(), HasSubstr("urgent data"));
  EXPECT_THAT(said.hint(), HasSubstr("once the program has read it"));
  char urgent = 0;
  ASSERT_EQ(::recv(holder.get(), &urgent, 1, MSG_OOB), 1);
  EXPECT_EQ(urgent, 'u');
  expect_both_ways(sender, holder);
}

TEST_F(Refusals, AReceiverThatDiesBeforeTheCommit) {
  Talk talk = this->talk();
  std::optional<Client> there = client("gamma");
  there->register_receiver("test");
  // It goes as soon as the move is agreed: the destination notices before it is ready, or asks to undo.
  const sockswap_error error =
      refusal(talk.fd(), "gamma", "test", {.progress = [&](const char* step, double) {
                if (std::string_view(step) == "asked") there.reset();
              }});
  EXPECT_TRUE(error == SOCKSWAP_RECEIVER_GONE || error == SOCKSWAP_UNKNOWN_RECEIVER) << error;
  talk.go_on_to_the_end();
}

// A host has an end re-pointed only if its certificate covers the address of the other one.
TEST_F(Refusals, AnAddressThatTheCertificateDoesntCover) {
  const std::string address = host("beta").v4().text() + "00";  // 10.133.0.2 -> 10.133.0.200
  ASSERT_TRUE(host("beta").run({"ip", "address", "add", address + "/24", "dev", "eth0"})->status.ok());
  const std::uint16_t port = next_port();
  const Fd listener = listen_on("beta", {Address::parse(address).value(), port});
  lab::Command command{
      .argv = {STAYER, "connect", address, std::to_string(port), "--send", std::to_string(piece)},
      .in = lab::Stdio::pipe(),
      .out = lab::Stdio::pipe(),
      .err = lab::Stdio::pipe()};
  Stayer stayer{host("alpha").spawn(command).value()};
  const Fd moving = accept_from(listener);
  Client there = client("gamma");
  there.register_receiver("test");
  EXPECT_EQ(refusal(moving, "gamma", "test"), SOCKSWAP_NOT_PERMITTED);
  receive_ramp(moving, 0, piece);
  finish_writing(moving);
  expect_end(moving);
  EXPECT_EQ(stayer.verdict(piece, 0), "");
}

// The peer's program is traced by a debugger: it can't be paused, and is not touched.
TEST_F(Refusals, TheStayersProgramIsBeingDebugged) {
  Talk talk = this->talk("blocking");  // another way of waiting would notice the debugger by an EINTR
  Client there = client("gamma");
  there.register_receiver("test");
  auto tracer = host("alpha").spawn(
      {.argv = {"sh", "-c", "exec strace -f -o /dev/null -p $(pgrep -n -x sockswap-test-s)"}});
  ASSERT_TRUE(tracer);
  const auto traced = [&] {
    return host("alpha")
        .run({"sh", "-c", "grep -q 'TracerPid:[[:space:]]*[1-9]' /proc/[0-9]*/status"})
        ->status.ok();
  };
  for (int i = 0; i < 200 && !traced(); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(20));
  EXPECT_EQ(refusal(talk.fd(), "gamma", "test"), SOCKSWAP_BUSY);
  ASSERT_TRUE(tracer->kill(SIGTERM));
  ASSERT_TRUE(tracer->wait());
  talk.go_on_to_the_end();
}

TEST_F(Refusals, ASecondMoveOfTheSameConnection) {
  Talk talk = this->talk();
  Client there = client("gamma");
  there.register_receiver("test");
  const Fd same = talk.fd().duplicate();
  // So that the first is still under way when the second is asked for.
  ASSERT_TRUE(host("gamma").set_link({.delay = std::chrono::milliseconds(50)}));
  sockswap_error second = SOCKSWAP_OK;
  const auto begun = [] { return sockswap("beta", {"moves"}).json["moves"].size(); };
  const std::size_t before = begun();
  client("beta").move(talk.fd().get(), "gamma", "test", {}, {.progress = [&](const char* step, double) {
                        if (std::string_view(step) == "asked") second = refusal(same, "gamma", "test");
                      }});
  (void)talk.fd().release();
  ASSERT_TRUE(host("gamma").set_link({}));
  EXPECT_EQ(second, SOCKSWAP_BUSY);
  EXPECT_EQ(begun(), before + 1) << "it was refused before anybody was asked";
  auto event = there.next(std::chrono::seconds(10));
  ASSERT_TRUE(event);
  talk.fd() = Fd(std::get<Arrival>(*event).take_fd());
  talk.go_on_to_the_end();
}

// The control of this file: the same move succeeds, and the old descriptor is dead afterwards.
TEST_F(Refusals, WithNothingInTheWayItMoves) {
  Talk talk = this->talk();
  const Fd copy = talk.fd().duplicate();
  talk.fd() = move(std::move(talk.fd()), "beta", "gamma");
  char byte = 0;
  EXPECT_EQ(::recv(copy.get(), &byte, 1, MSG_DONTWAIT), -1);
  EXPECT_EQ(errno, ENOTCONN);
  talk.go_on_to_the_end();
}

}  // namespace
}  // namespace sockswap::test
