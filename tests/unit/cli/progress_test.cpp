#include <gtest/gtest.h>

#include <chrono>
#include <thread>

#include "fake_daemon.h"
#include "run_command.h"

namespace sockswap::cli {
namespace {

using namespace std::chrono_literals;

wire::Reply progress(const std::string& step, double at_us) {
  wire::Reply reply;
  reply.mutable_progress()->mutable_step()->set_name(step);
  reply.mutable_progress()->mutable_step()->set_at_us(at_us);
  return reply;
}

wire::Reply moved() {
  wire::Reply reply;
  reply.mutable_moved()->set_pause_us(1620);
  return reply;
}

// Progress begins after a second; this is safely longer.
void slow(const wire::Request&, const Speaker& speaker) {
  speaker.say(progress("offer", 120));
  std::this_thread::sleep_for(1500ms);
  speaker.say(progress("commit", 1'500'000));
  speaker.say(moved());
}
void fast(const wire::Request&, const Speaker& speaker) {
  speaker.say(progress("offer", 120));
  speaker.say(moved());
}

const std::vector<std::string> move{"move", "10.0.0.1:1-10.0.0.2:2", "--to", "beta"};

TEST(Progress, StepsOfASlowMoveAreLinesOnStderr) {
  const FakeDaemon daemon(slow);
  const Ran ran = ask(daemon.path(), move);
  EXPECT_EQ(ran.status, 0);
  EXPECT_EQ(ran.err, "sockswap: offer 120 µs\nsockswap: commit 1.50 s\n");
  EXPECT_EQ(ran.out.find("sockswap:"), std::string::npos);
}

TEST(Progress, AFastMoveHasNone) {
  const FakeDaemon daemon(fast);
  EXPECT_EQ(ask(daemon.path(), move).err, "");
}

TEST(Progress, QuietHasNone) {
  const FakeDaemon daemon(slow);
  auto words = move;
  words.emplace_back("--quiet");
  EXPECT_EQ(ask(daemon.path(), words).err, "");
}

TEST(Progress, ALiveLineOnATerminalGoesAwayAtTheEnd) {
  const FakeDaemon daemon(slow);
  const Ran ran = run_command(move, {.err = Surroundings::Stream::terminal, .control = daemon.path()});
  EXPECT_NE(ran.err.find("s  offer"), std::string::npos) << ran.err;
  EXPECT_TRUE(ran.err.ends_with("\r\x1b[K")) << ran.err;
  EXPECT_EQ(ran.err.find('\n'), std::string::npos);
}

}  // namespace
}  // namespace sockswap::cli
