#include <gtest/gtest.h>

#include <atomic>

#include "connections.h"
#include "fake_daemon.h"
#include "run_command.h"

namespace sockswap::cli {
namespace {

wire::Moves::Record& add_move(wire::Reply& reply, const std::string& state) {
  auto& move = *reply.mutable_moves()->add_moves();
  move.set_move_id(std::string(16, '\xab'));
  move.set_role("destination");
  move.set_state(state);
  move.set_origin("alpha");
  move.set_destination("gamma");
  move.set_receiver("chat");
  wire::to_message(*FourTuple::parse("10.0.0.1:80-10.0.0.2:5000"), *move.add_ends());
  auto& step = *move.add_steps();
  step.set_name("offer");
  step.set_at_us(12);
  move.set_began_unix_us(1'700'000'000'000'000);  // 2023-11-14 22:13:20 UTC
  move.set_pause_us(1620);
  return move;
}

wire::Reply two_moves() {
  wire::Reply reply;
  add_move(reply, "done");
  auto& undone = add_move(reply, "undone");
  undone.set_pause_us(0);
  undone.mutable_error()->set_code(14);
  undone.mutable_error()->set_message("beta didn't answer");
  return reply;
}

TEST(Moves, AsText) {
  const FakeDaemon daemon(two_moves());
  const Ran ran = ask(daemon.path(), {"moves"});
  EXPECT_EQ(ran.status, 0);
  EXPECT_EQ(ran.err, "");
  EXPECT_EQ(ran.out,
            "MOVE      BEGAN           ROLE         STATE   FROM   TO     ENDS    PAUSE\n"
            "abababab  11-14 22:13:20  destination  done    alpha  gamma     1  1.62 ms\n"
            "    offer 12 µs\n"
            "abababab  11-14 22:13:20  destination  undone  alpha  gamma     1        -\n"
            "    offer 12 µs\n"
            "    beta didn't answer\n");
}

TEST(Moves, AsJson) {
  const FakeDaemon daemon(two_moves());
  const Json moves = ask(daemon.path(), {"moves", "--json"}).json()["moves"];
  ASSERT_EQ(moves.size(), 2u);
  EXPECT_EQ(moves[0], Json::parse(R"({"move_id": "abababababababababababababababab", "role": "destination",
    "state": "done", "origin": "alpha", "destination": "gamma", "receiver": "chat",
    "connections": ["10.0.0.1:80-10.0.0.2:5000"], "began_unix_us": 1700000000000000, "pause_us": 1620.0,
    "steps": [{"name": "offer", "at_us": 12.0}], "error": null})"));
  EXPECT_EQ(
      moves[1]["error"],
      Json::parse(R"({"code": 14, "name": "timed-out", "message": "beta didn't answer", "hint": null})"));
}

TEST(Moves, NoneIsSaidOnStderr) {
  wire::Reply reply;
  reply.mutable_moves();
  const FakeDaemon daemon(reply);
  const Ran ran = ask(daemon.path(), {"moves"});
  EXPECT_EQ(ran.status, 0);
  EXPECT_EQ(ran.out, "");
  EXPECT_EQ(ran.err, "sockswap: no moves\n");
}

// Two lists, the first of them twice; then the daemon goes away.
struct Changing {
  std::atomic<int> asked = 0;
  void operator()(const wire::Request&, const Speaker& speaker) {
    const int turn = asked++;
    if (turn == 3) return speaker.hang_up();
    wire::Reply reply;
    add_move(reply, turn < 2 ? "holding" : "done");
    speaker.say(reply);
  }
};

TEST(Moves, WatchPrintsEachChangeOnce) {
  Changing script;
  const FakeDaemon daemon(std::ref(script));
  const Ran ran = ask(daemon.path(), {"moves", "--watch", "--json"});
  EXPECT_EQ(ran.status, 3) << "the daemon's end ends it";
  std::vector<std::string> states;
  std::istringstream lines(ran.out);
  for (std::string line; std::getline(lines, line);) {
    const Json json = Json::parse(line);
    states.push_back(json.contains("error") ? "error" : json["moves"][0]["state"].get<std::string>());
  }
  EXPECT_EQ(states, (std::vector<std::string>{"holding", "done", "error"}));
}

TEST(Moves, WatchClearsTheScreenOfATerminalOnly) {
  Changing on_pipe;
  const FakeDaemon first(std::ref(on_pipe));
  EXPECT_EQ(ask(first.path(), {"moves", "--watch"}).out.find('\x1b'), std::string::npos);
  Changing on_terminal;
  const FakeDaemon second(std::ref(on_terminal));
  const Ran ran =
      run_command({"moves", "--watch"}, {.out = Surroundings::Stream::terminal, .control = second.path()});
  EXPECT_NE(ran.out.find("\x1b[H\x1b[2J"), std::string::npos);
}

}  // namespace
}  // namespace sockswap::cli
