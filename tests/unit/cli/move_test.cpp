#include <gtest/gtest.h>

#include "connections.h"
#include "fake_daemon.h"
#include "run_command.h"

namespace sockswap::cli {
namespace {

const std::string tuple = "10.0.0.1:80-10.0.0.2:5000";

void add_step(wire::Moved& moved, const std::string& name, double at_us) {
  auto& step = *moved.add_steps();
  step.set_name(name);
  step.set_at_us(at_us);
}

wire::Reply moved() {
  wire::Reply reply;
  auto& out = *reply.mutable_moved();
  out.set_move_id(std::string("\x3f\x2a\x9c\x01", 4) + std::string(12, '\0'));
  out.set_pause_us(1620);
  add_step(out, "offer", 12);
  add_step(out, "commit", 1200.5);
  return reply;
}

wire::Reply done() {
  wire::Reply reply;
  reply.mutable_done();
  return reply;
}

// Lists four_connections() and moves whatever it is asked to.
void willing(const wire::Request& request, const Speaker& speaker) {
  if (request.has_list_connections()) return speaker.say(four_connections());
  ASSERT_TRUE(request.has_move_connection());
  speaker.say(request.move_connection().dry_run() ? done() : moved());
}

TEST(Move, AsText) {
  const FakeDaemon daemon(willing);
  const Ran ran = ask(daemon.path(), {"move", tuple, "--to", "gamma", "--receiver", "chat"});
  EXPECT_EQ(ran.status, 0);
  EXPECT_EQ(ran.err, "") << "a fast move has no progress lines";
  EXPECT_EQ(ran.out,
            "10.0.0.1:80-10.0.0.2:5000 moved to gamma\n"
            "pause 1.62 ms, move 3f2a9c01000000000000000000000000\n"
            "STEP         AT\n"
            "offer     12 µs\n"
            "commit  1.20 ms\n");
  const auto requests = daemon.requests();
  ASSERT_EQ(requests.size(), 1u);
  const auto& asked = requests[0].move_connection();
  EXPECT_EQ(wire::from_message(asked.tuple())->text(), tuple);
  EXPECT_EQ(asked.to(), "gamma");
  EXPECT_EQ(asked.receiver(), "chat");
  EXPECT_FALSE(asked.dry_run());
}

TEST(Move, AsJson) {
  const FakeDaemon daemon(willing);
  const Ran ran = ask(daemon.path(), {"move", tuple, "--to", "gamma", "--json"});
  EXPECT_EQ(ran.json(), Json::parse(R"({"move_id": "3f2a9c01000000000000000000000000",
    "connection": "10.0.0.1:80-10.0.0.2:5000", "to": "gamma", "pause_us": 1620.0,
    "steps": [{"name": "offer", "at_us": 12.0}, {"name": "commit", "at_us": 1200.5}]})"));
}

TEST(Move, DryRunAsksForNoMore) {
  const FakeDaemon daemon(willing);
  const Ran text = ask(daemon.path(), {"move", tuple, "--to", "gamma", "--dry-run"});
  EXPECT_EQ(text.status, 0);
  EXPECT_EQ(text.out, "10.0.0.1:80-10.0.0.2:5000 can be moved to gamma; nothing was changed\n");
  const Ran json = ask(daemon.path(), {"move", tuple, "--to", "gamma", "--dry-run", "--json"});
  EXPECT_EQ(json.json(),
            Json::parse(R"({"dry_run": true, "connection": "10.0.0.1:80-10.0.0.2:5000", "to": "gamma"})"));
  for (const auto& request : daemon.requests()) EXPECT_TRUE(request.move_connection().dry_run());
}

TEST(Move, QuietPrintsNothingButJson) {
  const FakeDaemon daemon(willing);
  EXPECT_EQ(ask(daemon.path(), {"move", tuple, "--to", "gamma", "--quiet"}).out, "");
  EXPECT_EQ(ask(daemon.path(), {"move", tuple, "--to", "gamma", "-q", "--dry-run"}).out, "");
  EXPECT_EQ(ask(daemon.path(), {"move", tuple, "--to", "gamma", "--quiet", "--json"}).json()["to"], "gamma");
}

TEST(Move, ByTheProcessThatHasOnlyOne) {
  const FakeDaemon daemon(willing);
  const Ran ran = ask(daemon.path(), {"move", "--pid", "100", "--to", "gamma"});
  EXPECT_EQ(ran.status, 0) << ran.err;
  ASSERT_EQ(daemon.requests().size(), 2u);
  EXPECT_EQ(wire::from_message(daemon.requests()[1].move_connection().tuple())->text(),
            "10.0.0.1:6379-10.0.0.2:5000");
}

TEST(Move, AProcessWithSeveralIsNotGuessedAt) {
  const FakeDaemon daemon(willing);
  const Ran ran = ask(daemon.path(), {"move", "--pid", "200", "--to", "gamma"});
  EXPECT_EQ(ran.status, 2);
  EXPECT_EQ(ran.err,
            "sockswap: process 200 has 2 connections that can be moved\n"
            "hint: name one of them: 10.0.0.1:80-10.0.0.3:6379 [fd00::1]:80-[fd00::3]:6000\n");
  EXPECT_EQ(daemon.requests().size(), 1u) << "nothing was asked to move";
}

TEST(Move, AProcessWithNoneIsNotFound) {
  const FakeDaemon daemon(willing);
  const Ran ran = ask(daemon.path(), {"move", "--pid", "300", "--to", "gamma"});
  EXPECT_EQ(ran.status, 8);
  EXPECT_EQ(daemon.requests().size(), 1u);
}

TEST(Move, OneOfConnectionAndPid) {
  EXPECT_EQ(ask("/nowhere", {"move", "--to", "gamma"}).status, 2);
  EXPECT_EQ(ask("/nowhere", {"move", tuple, "--pid", "1", "--to", "gamma"}).status, 2);
  EXPECT_EQ(ask("/nowhere", {"move", "10.0.0.1:80", "--to", "gamma"}).status, 2);
  EXPECT_EQ(ask("/nowhere", {"move", tuple, "--to", "gamma"}).status, 3)
      << "the control: now only the daemon lacks";
}

// After the request has gone out nobody but the daemon knows what became of it.
TEST(Move, ALostAnswerIsInDoubt) {
  const FakeDaemon daemon([](const wire::Request&, const Speaker& speaker) { speaker.hang_up(); });
  const Ran ran = ask(daemon.path(), {"move", tuple, "--to", "gamma", "--json"});
  EXPECT_EQ(ran.status, 19);
  EXPECT_EQ(ran.json()["error"]["name"], "in-doubt");
  EXPECT_EQ(ask(daemon.path(), {"move", tuple, "--to", "gamma", "--dry-run"}).status, 3)
      << "a dry run can't leave anything in doubt";
}

TEST(Move, ANonsensicalAnswerIsInDoubt) {
  const FakeDaemon daemon(done());
  EXPECT_EQ(ask(daemon.path(), {"move", tuple, "--to", "gamma"}).status, 19);
}

TEST(Move, ARefusalIsNot) {
  const FakeDaemon daemon(failed(7, "gamma has no receiver 'chat'", ""));
  const Ran ran = ask(daemon.path(), {"move", tuple, "--to", "gamma"});
  EXPECT_EQ(ran.status, 7);
  EXPECT_EQ(ran.err, "sockswap: gamma has no receiver 'chat'\n");
}

}  // namespace
}  // namespace sockswap::cli
