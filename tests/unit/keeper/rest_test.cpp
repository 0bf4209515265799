// A hold that another host decides about, and that nobody goes on with: its program runs on as in an outage
// of the network, and loses nothing however the move ends.
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <thread>

#include "fixture.h"
#include "support/ramp.h"
#include "support/tcp_pair.h"

namespace sockswap::keeper {
namespace {

// Reads and writes as much as goes, without ever standing still; says what it shouldn't have seen. Its
// progress counts the bytes that it has written.
std::unique_ptr<process::Child> streaming_program() {
  auto program = std::make_unique<process::Child>([](const process::World& world) {
    world.ready();
    std::uint64_t written = 0, read = 0;
    Bytes bytes(65536);
    for (;;) {
      pollfd ready{.fd = world.socket, .events = POLLIN | POLLOUT, .revents = 0};
      ::poll(&ready, 1, 1);
      if (ready.revents & POLLOUT) {
        const Bytes next = test::ramp(written, 512);
        const ssize_t sent = ::send(world.socket, next.data(), next.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
        if (sent < 0 && errno != EAGAIN) world.say("send failed");
        if (sent > 0) written += static_cast<std::uint64_t>(sent);
      }
      if (ready.revents & POLLIN) {
        const ssize_t got = ::recv(world.socket, bytes.data(), bytes.size(), MSG_DONTWAIT);
        if (got == 0 || (got < 0 && errno != EAGAIN)) world.say("its connection has ended"), ::pause();
        const auto count = static_cast<std::size_t>(std::max<ssize_t>(got, 0));
        if (test::ramp_matches(read, ByteView(bytes).first(count)) != count)
          world.say("a wrong byte"), ::pause();
        read += count;
      }
      if (ready.revents & (POLLERR | POLLHUP)) world.say("an error"), ::pause();
      world.progress->store(written);
      ::usleep(100);
    }
  });
  program->await_ready();
  return program;
}

class Rest : public ::testing::Test {
 protected:
  void SetUp() override {
    SKIP_UNLESS_TRACING();
    keeper.emplace(std::vector<std::string>{"--hold-limit", "400"});
    client.emplace(keeper->connect());
    program = streaming_program();
    move.emplace(*client, *program);
    // Bytes for the program in its queue, and some in flight: it stands still before it could read them all.
    test::fill(move->moving, 0, sent);
    move->find();
    move->reserve();
    move->freeze();
    must(move->hold(keep::Arbiter::elsewhere));
    move->rebuild();
  }

  // It runs, and its writing comes to an end when the buffer is full.
  void await_outage() const {
    program->await_progress();
    for (std::uint64_t before = 0, now = program->progress(); before != now; now = program->progress()) {
      before = now;
      std::this_thread::sleep_for(100ms);
    }
  }

  // Both streams go on where they were.
  void expect_whole(int fd) {
    constexpr std::uint64_t more = 3'000'000;
    const std::uint64_t until = program->progress() + more;
    Fd end(::dup(fd));
    std::thread writer([&] { test::send_ramp(end, sent, more); });
    EXPECT_EQ(test::receive_ramp(end, 0, until), until);
    writer.join();
    EXPECT_TRUE(program->said().empty());
  }

  static constexpr std::size_t sent = 100'000;
  std::optional<KeeperProcess> keeper;
  std::optional<keep::Client> client;
  std::unique_ptr<process::Child> program;
  std::optional<Move> move;
};

TEST_F(Rest, ThenSwapped) {
  await_outage();
  const auto swapped = must(client->swap(move->id));
  ASSERT_FALSE(swapped.undone_already);
  ASSERT_TRUE(swapped.lost.empty()) << swapped.lost.begin()->second.text();
  must(client->resume(move->id));
  must(client->release_moving(move->id));
  expect_whole(move->let_go().get());
}

TEST_F(Rest, ThenUndone) {
  await_outage();
  ASSERT_FALSE(must(client->undo(move->id)).swapped_already);
  must(client->thaw_moving(move->id));
  must(client->drop(move->id));
  expect_whole(move->moving.get());
}

// The keeper's descriptor keeps the end; the other end gets what was written, and then the end of the stream.
TEST_F(Rest, ThenSwappedWithoutItsProgram) {
  await_outage();
  const std::uint64_t written = program->progress();
  program.reset();
  ASSERT_TRUE(must(client->swap(move->id)).lost.empty());
  must(client->resume(move->id));
  must(client->release_moving(move->id));
  const Fd arrived = move->let_go();
  EXPECT_EQ(test::receive_ramp(arrived, 0, written), written);
}

// Negative control: the program does stand still until then, and nobody is let go before the limit.
TEST_F(Rest, NotBefore) {
  const std::uint64_t at = program->progress();
  std::this_thread::sleep_for(20ms);
  EXPECT_EQ(program->progress(), at);
}

}  // namespace
}  // namespace sockswap::keeper
