// The operator's side, with the real command and the real daemons.
#include <gmock/gmock.h>

#include <map>
#include <nlohmann/json.hpp>
#include <thread>

#include "lab/fixture.h"

namespace sockswap::test {
namespace {

using Json = nlohmann::json;
using ::testing::AllOf;
using ::testing::HasSubstr;

class Command : public LabTest {};

TEST_F(Command, HostsAreConnected) {
  // The daemons of the last hosts have only just come up, and dial the others themselves.
  Said said = sockswap("alpha", {"hosts"});
  for (int i = 0; i < 100 && said.output.out.find("connecting") + said.output.out.find("unreachable") !=
                                 2 * std::string::npos;
       ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    said = sockswap("alpha", {"hosts"});
  }
  ASSERT_EQ(said.status(), 0) << said.output.err;
  ASSERT_EQ(said.json["hosts"].size(), 3u);
  for (const Json& one : said.json["hosts"])
    EXPECT_EQ(one["state"], one["name"] == "alpha" ? "self" : "connected") << one.dump();
}

TEST_F(Command, CheckFindsEverythingHere) {
  const Said said = sockswap("alpha", {"check"});
  EXPECT_EQ(said.status(), 0) << said.output.out;
  EXPECT_EQ(said.json["sufficient"], true);
}

// Lines of the example receiver until one with this event; what it says in between is let pass.
Json wait_for_event(lab::Process& receiver, const std::string& event) {
  for (;;) {
    const auto line = receiver.read_line();
    if (!line || !*line) throw std::runtime_error("the receiver ended without '" + event + "'");
    const Json json = Json::parse(**line, nullptr, false);
    if (!json.is_discarded() && json.value("event", "") == event) return json;
  }
}

// An unprivileged program's connection, moved on an operator's word: the daemon has the rights, the program
// none.
TEST_F(Command, MoveOfAnUnprivilegedProgramsEnd) {
  constexpr std::size_t total = 4'000'000;
  const std::uint16_t port = next_port();
  std::map<std::string, lab::Process> receivers;
  for (const char* on : {"beta", "gamma"}) {
    lab::Command command{.argv = {RECEIVER}, .out = lab::Stdio::pipe(), .user = nobody};
    if (std::string(on) == "beta")
      command.argv.insert(command.argv.end(), {"--listen", std::to_string(port)});
    receivers.emplace(on, host(on).spawn(command).value());
  }
  wait_for_event(receivers.at("beta"), "listening");
  wait_for_event(receivers.at("gamma"), "waiting");
  Stayer stayer{host("alpha")
                    .spawn({.argv = {STAYER, "connect", host("beta").v4().text(), std::to_string(port),
                                     "--send", std::to_string(total), "--write-late"},
                            .in = lab::Stdio::pipe(),
                            .out = lab::Stdio::pipe(),
                            .err = lab::Stdio::pipe()})
                    .value()};
  ASSERT_EQ(stayer.process.read_line().value(), "connected");
  Said list = sockswap("beta", {"ls"});
  ASSERT_EQ(list.json["connections"].size(), 1u) << list.output.out;
  EXPECT_EQ(list.json["connections"][0]["uid"], 65534);
  EXPECT_EQ(list.json["connections"][0]["receiver"], "receiver");
  const std::string connection = list.json["connections"][0]["connection"];
  // A dry run asks the other hosts too: the connection's end stays where it is.
  EXPECT_EQ(
      sockswap("beta", {"move", connection, "--to", "gamma", "--receiver", "no-such", "--dry-run"}).status(),
      SOCKSWAP_UNKNOWN_RECEIVER);
  EXPECT_EQ(sockswap("beta", {"move", connection, "--to", "alpha", "--dry-run"}).status(),
            SOCKSWAP_UNKNOWN_RECEIVER);
  EXPECT_EQ(sockswap("beta", {"move", connection, "--to", "gamma", "--dry-run"}).status(), 0);
  EXPECT_EQ(sockswap("beta", {"ls"}).json["connections"][0]["connection"], connection);
  const Said moved = sockswap("beta", {"move", connection, "--to", "gamma"});
  EXPECT_EQ(moved.status(), 0) << moved.output.out;
  EXPECT_GT(moved.json["pause_us"], 0);
  wait_for_event(receivers.at("gamma"), "arrival");
  EXPECT_EQ(sockswap("gamma", {"ls"}).json["connections"][0]["uid"], 65534) << "its user may move it on";
  ASSERT_TRUE(stayer.process.write("write\n"));
  EXPECT_EQ(wait_for_event(receivers.at("gamma"), "end")["bytes"], total);
  EXPECT_EQ(stayer.verdict(total, 0), "");
}

TEST_F(Command, MoveIsRefusedWhereTheProgramDoesntHandOver) {
  constexpr std::size_t half = 250'000;
  auto [stayer, fd] = connect("alpha", "beta", true, false, false, {.send = 2 * half, .receive = 2 * half});
  receive_ramp(fd, 0, half);
  send_ramp(fd, 0, half);
  Client there = client("gamma");
  there.register_receiver("operator");
  // The list shows it with its process on the staying side.
  const Said list = sockswap("alpha", {"ls"});
  ASSERT_EQ(list.status(), 0);
  ASSERT_EQ(list.json["connections"].size(), 1u) << list.output.out;
  EXPECT_EQ(list.json["connections"][0]["host"], "beta");
  EXPECT_EQ(list.json["connections"][0]["processes"][0]["command"], "sockswap-test-s");
  // The moving side is not a program that hands over: it is refused by name, and goes on.
  const std::string tuple =
      FourTuple::parse(list.json["connections"][0]["connection"].get<std::string>())->flipped().text();
  const Said refused = sockswap("beta", {"move", tuple, "--to", "gamma"});
  EXPECT_EQ(refused.status(), SOCKSWAP_NOT_MOVABLE) << refused.output.out;
  EXPECT_EQ(refused.json["error"]["name"], "not-movable");
  fd = move(std::move(fd), "beta", "gamma");
  receive_ramp(fd, half, half);
  send_ramp(fd, half, half);
  finish_writing(fd);
  expect_end(fd);
  EXPECT_EQ(stayer.verdict(2 * half, 2 * half), "");
  const Said moves = sockswap("beta", {"moves"});
  ASSERT_EQ(moves.status(), 0);
  const Json& last = moves.json["moves"].back();
  EXPECT_EQ(last["role"], "origin");
  EXPECT_EQ(last["state"], "finished");
  EXPECT_GT(last["steps"].size(), 5u);
}

TEST_F(Command, MoveOfNothing) {
  const Said nothing = sockswap("beta", {"move", "10.9.9.9:1-10.9.9.9:2", "--to", "gamma"});
  EXPECT_EQ(nothing.status(), SOCKSWAP_NOT_FOUND);
  EXPECT_EQ(nothing.json["error"]["name"], "not-found");
  EXPECT_EQ(nothing.json["error"]["message"], "no connection 10.9.9.9:1-10.9.9.9:2 here");
  EXPECT_THAT(nothing.json["error"]["hint"].get<std::string>(), HasSubstr("sockswap ls"));
  EXPECT_THAT(nothing.output.err, AllOf(HasSubstr("sockswap: no connection"), HasSubstr("\nhint: ")));
  EXPECT_EQ(sockswap("beta", {"move", "10.9.9.9:1-10.9.9.9:2", "--to", "delta"}).status(),
            SOCKSWAP_UNKNOWN_HOST);
}

}  // namespace
}  // namespace sockswap::test
