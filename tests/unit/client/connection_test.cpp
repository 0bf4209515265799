#include "client/connection.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <cstdlib>

#include "test_daemon.h"

namespace sockswap::client_test {
namespace {

using client::at_once;
using client::ControlConnection;
using client::never;

wire::Reply numbered(std::uint64_t number) {
  wire::Reply reply;
  reply.set_number(number);
  reply.mutable_done();
  return reply;
}

ControlConnection connected(const TestDaemon& daemon) {
  auto connection = ControlConnection::connect(daemon.path());
  EXPECT_TRUE(connection) << connection.error().text();
  return std::move(*connection);
}

ErrorCode error_of(ControlConnection& connection) {
  const auto got = connection.receive(never);
  return got ? ErrorCode::ok : got.error().code;
}

TEST(Connect, SaysWhatToDoWhereNoDaemonIs) {
  const auto connection = ControlConnection::connect("/nonexistent/control.sock");
  ASSERT_FALSE(connection);
  EXPECT_EQ(connection.error().code, ErrorCode::no_daemon);
  EXPECT_NE(connection.error().hint.find("SOCKSWAP_CONTROL"), std::string::npos);
}

TEST(Connect, RefusesAPathThatDoesNotFit) {
  EXPECT_EQ(ControlConnection::connect(std::string(200, 'x')).error().code, ErrorCode::usage);
}

TEST(Connect, TakesTheSocketFromTheEnvironment) {
  ::setenv("SOCKSWAP_CONTROL", "/some/where", 1);
  EXPECT_EQ(client::default_control_socket(), "/some/where");
  ::setenv("SOCKSWAP_CONTROL", "", 1);
  EXPECT_EQ(client::default_control_socket(), "/run/sockswap/control.sock");
  ::unsetenv("SOCKSWAP_CONTROL");
  EXPECT_EQ(client::default_control_socket(), "/run/sockswap/control.sock");
}

TEST(Connection, NumbersItsRequests) {
  TestDaemon daemon([](Peer& peer) { peer.wait_for_close(); });
  ControlConnection connection = connected(daemon);
  const auto first = connection.request().number();
  EXPECT_NE(first, 0u);
  EXPECT_NE(connection.request().number(), first);
}

// More than the socket holds, both ways at once: a side that only wrote would wait for ever.
TEST(Connection, ReadsWhileItWrites) {
  const Bytes large(8u << 20, std::byte{7});
  TestDaemon daemon([&](Peer& peer) {
    peer.send(numbered(0), {large});
    const auto received = peer.read();
    ASSERT_TRUE(received);
    EXPECT_EQ(received->attachments.at(0), large);
    peer.wait_for_close();
  });
  ControlConnection connection = connected(daemon);
  const ByteView attachments[] = {large};
  ASSERT_TRUE(connection.send(connection.request(), attachments));
  const auto incoming = connection.receive(never);
  ASSERT_TRUE(incoming);
  EXPECT_EQ((*incoming)->attachments.at(0), large);
}

TEST(Connection, GivesEachReplyItsOwnDescriptors) {
  TcpPair a, b;
  TestDaemon daemon([&](Peer& peer) {
    // One write of two replies without and two with descriptors, then byte by byte.
    Bytes frames = frames_of(numbered(1));
    append(frames, frames_of(numbered(2)));
    peer.send_raw(frames);
    peer.send(numbered(3), {}, {a.one.get(), b.one.get()});
    const Bytes last = frames_of(numbered(4), {bytes_of("state")}, 1);
    peer.send_raw(ByteView(last).first(1), {a.other.get()});
    for (const std::byte& byte : ByteView(last).subspan(1)) peer.send_raw(ByteView(&byte, 1));
    peer.wait_for_close();
  });
  ControlConnection connection = connected(daemon);
  for (const auto& [number, fds] : {std::pair{1u, 0u}, {2u, 0u}, {3u, 2u}, {4u, 1u}}) {
    const auto incoming = connection.receive(never);
    ASSERT_TRUE(incoming) << incoming.error().text();
    EXPECT_EQ((*incoming)->reply.number(), number);
    EXPECT_EQ((*incoming)->fds.size(), fds);
    for (const Fd& fd : (*incoming)->fds) EXPECT_TRUE(::fcntl(fd.get(), F_GETFD) & FD_CLOEXEC);
  }
}

TEST(Connection, WaitsNoLongerThanItsDeadline) {
  TestDaemon daemon([](Peer& peer) { peer.wait_for_close(); });
  ControlConnection connection = connected(daemon);
  for (const auto deadline : {at_once, client::after(std::chrono::milliseconds(1))}) {
    const auto incoming = connection.receive(deadline);
    ASSERT_TRUE(incoming);
    EXPECT_FALSE(*incoming);
  }
  EXPECT_TRUE(connection.usable());
}

TEST(Connection, RefusesWhatIsTooLargeAndSendsNothing) {
  TestDaemon daemon([](Peer& peer) { EXPECT_FALSE(peer.read()); });
  ControlConnection connection = connected(daemon);
  const wire::Limits limits;
  const std::vector<int> fds(limits.descriptors + 1u, 0);
  EXPECT_EQ(connection.send(connection.request(), {}, fds).error().code, ErrorCode::too_large);
  const std::vector<ByteView> many(limits.attachments + 1u);
  EXPECT_EQ(connection.send(connection.request(), many).error().code, ErrorCode::too_large);
  // Never touched, so no memory: what counts is the size.
  const std::byte one{};
  const ByteView huge[] = {ByteView(&one, limits.attachment_bytes), ByteView(&one, 1)};
  EXPECT_EQ(connection.send(connection.request(), huge).error().code, ErrorCode::too_large);
  wire::Request wordy = connection.request();
  wordy.mutable_move()->set_to(std::string(limits.message_bytes, 'x'));
  EXPECT_EQ(connection.send(wordy).error().code, ErrorCode::too_large);
  EXPECT_TRUE(connection.usable());
}

TEST(Connection, RefusesDescriptorsThatWereAnnouncedButDidNotCome) {
  TestDaemon daemon([](Peer& peer) {
    peer.send_raw(frames_of(numbered(1), {}, 2));
    peer.wait_for_close();
  });
  ControlConnection connection = connected(daemon);
  connection.receive(never);
  EXPECT_EQ(error_of(connection), ErrorCode::internal);
  EXPECT_FALSE(connection.usable());
}

TEST(Connection, RefusesDescriptorsThatNobodyAnnounced) {
  TcpPair pair;
  TestDaemon daemon([&](Peer& peer) {
    peer.send_raw(frames_of(numbered(1)), {pair.one.get()});
    peer.wait_for_close();
  });
  ControlConnection connection = connected(daemon);
  connection.receive(never);
  EXPECT_EQ(error_of(connection), ErrorCode::internal);
}

TEST(Connection, RefusesGarbage) {
  using namespace std::string_view_literals;
  // Text, and a message frame of 4 GiB.
  for (const auto garbage : {"HTTP/1.1 400 Bad Request\r\n\r\n"sv, "\xff\xff\xff\xff\x01\0\0\0"sv}) {
    TestDaemon daemon([&](Peer& peer) {
      peer.send_raw(view_of(garbage));
      peer.wait_for_close();
    });
    ControlConnection connection = connected(daemon);
    EXPECT_NE(error_of(connection), ErrorCode::ok);
    EXPECT_FALSE(connection.usable());
    EXPECT_FALSE(connection.send(connection.request()));
  }
}

TEST(Connection, DeliversWhatCameBeforeTheEnd) {
  TestDaemon daemon([](Peer& peer) { peer.send(numbered(5)); });
  ControlConnection connection = connected(daemon);
  const auto incoming = connection.receive(never);
  ASSERT_TRUE(incoming);
  EXPECT_EQ((*incoming)->reply.number(), 5u);
  EXPECT_EQ(error_of(connection), ErrorCode::no_daemon);
  EXPECT_EQ(error_of(connection), ErrorCode::no_daemon);
}

// The descriptor table is full: the kernel cuts the message short and says so.
TEST(Connection, SaysSoWhenThereIsNoRoomForDescriptors) {
  TcpPair pair;
  TestDaemon daemon([&](Peer& peer) {
    peer.send(numbered(1));
    ASSERT_TRUE(peer.read());
    peer.send(numbered(2), {}, {pair.one.get(), pair.other.get()});
    peer.wait_for_close();
  });
  ControlConnection connection = connected(daemon);
  ASSERT_TRUE(connection.receive(never));  // accepted: that takes a descriptor as well
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  const Fd lowest(::dup(0));
  const rlimit none{static_cast<rlim_t>(lowest.get()), before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &none), 0);
  ASSERT_TRUE(connection.send(connection.request()));
  const ErrorCode code = error_of(connection);
  ::setrlimit(RLIMIT_NOFILE, &before);
  EXPECT_EQ(code, ErrorCode::no_resources);
}

}  // namespace
}  // namespace sockswap::client_test
