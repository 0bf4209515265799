// The daemon's own limits, at each and one beyond it.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <asio/io_context.hpp>

#include "base/rights.h"
#include "daemon/control_session.h"
#include "daemon/history.h"
#include "daemon/receivers.h"
#include "daemon/recent.h"
#include "wire/encoder.h"

namespace sockswap::daemon {
namespace {

// A session, and the program's side of its socket.
class ControlLimits : public ::testing::Test {
 protected:
  ControlLimits() {
    int ends[2] = {-1, -1};
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends), 0);
    program = Fd(ends[0]);
    daemons = ends[1];
  }
  void start(std::size_t most_unread = ControlSession::most_unread_bytes) {
    session = std::make_shared<ControlSession>(
        asio::local::stream_protocol::socket(io, asio::local::stream_protocol(), daemons),
        Credentials{.pid = ::getpid(), .uid = 0}, most_unread);
    session->start({.request = [this](wire::Request, std::vector<Bytes>,
                                      std::vector<ForeignFd> fds) { descriptors += fds.size(); },
                    .closed = nullptr});
  }
  void turn() {
    io.restart();
    io.poll();
  }
  void send(ByteView bytes, std::size_t fds = 0) {
    const std::vector<int> numbers(fds, program.get());
    const auto sent = send_some(program.get(), bytes, numbers);
    ASSERT_TRUE(sent && *sent && **sent == bytes.size());
    turn();
  }

  asio::io_context io{1};
  Fd program;
  int daemons = -1;
  std::shared_ptr<ControlSession> session;
  std::size_t descriptors = 0;  // that came with requests
};

TEST_F(ControlLimits, DescriptorsAheadOfAFrame) {
  start();
  Bytes frames;
  wire::encode(frames, "", {}, 250);
  wire::encode(frames, "", {}, 1);
  const std::size_t one = frames.size() / 2;
  // As many as a frame may announce, ahead of its last byte; and one more.
  send(ByteView(frames).first(one - 1), 250);
  ASSERT_TRUE(session->open());
  send(ByteView(frames).subspan(one - 1, 1));
  EXPECT_EQ(descriptors, 250U);
  ASSERT_TRUE(session->open());
  send(ByteView(frames).first(one - 1), 250);
  ASSERT_TRUE(session->open());
  send(ByteView(frames).subspan(one - 1, 1), 1);
  ASSERT_TRUE(session->open()) << "one is left over, which may be the next frame's";
  send(ByteView(frames).subspan(one, one - 1), 250);
  EXPECT_FALSE(session->open()) << "251 are waiting";
}

TEST_F(ControlLimits, RepliesThatAProgramDoesntRead) {
  // What the kernel takes is not counted: it is full first.
  const Bytes filler(std::size_t{1} << 16);
  while (::send(daemons, filler.data(), filler.size(), MSG_NOSIGNAL | MSG_DONTWAIT) > 0) {
  }
  wire::Reply reply;
  reply.set_number(1);
  Bytes one;
  wire::encode(one, reply.SerializeAsString(), {}, 0, wire::reply_limits);
  start(100 * one.size());
  for (int i = 0; i < 100; ++i) session->send(reply);
  EXPECT_TRUE(session->open());
  session->send(reply);
  EXPECT_FALSE(session->open());
}

TEST(ReceiverNames, Have64Characters) {
  EXPECT_TRUE(Receivers::check_name(std::string(64, 'n')));
  EXPECT_FALSE(Receivers::check_name(std::string(65, 'n')));
  EXPECT_TRUE(Receivers::check_name("n"));
  EXPECT_FALSE(Receivers::check_name(""));
}

TEST(Remembered, Are16384Parts) {
  constexpr int most = 16'384;
  Recent<int, most> recent;
  for (int i = 0; i < most; ++i) recent.add(i);
  for (int i = 0; i < most; ++i) recent.add(i);  // known: nothing goes for it
  EXPECT_TRUE(recent.contains(0));
  recent.add(most);
  EXPECT_FALSE(recent.contains(0));
  EXPECT_TRUE(recent.contains(1));
  EXPECT_TRUE(recent.contains(most));
}

TEST(Remembered, AreShown4096) {
  History history;
  for (std::uint32_t i = 0; i <= 4096; ++i) {
    if (i == 4096) {
      EXPECT_EQ(history.records().front()->receiver, "0");
    }
    history.begin({}, "peer")->receiver = std::to_string(i);
  }
  EXPECT_EQ(history.records().size(), 4096U);
  EXPECT_EQ(history.records().front()->receiver, "1");
}

}  // namespace
}  // namespace sockswap::daemon
