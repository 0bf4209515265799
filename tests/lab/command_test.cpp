// The operator's side, with the real command and the real daemons.
#include <nlohmann/json.hpp>
#include <thread>

#include "lab/fixture.h"

namespace sockswap::test {
namespace {

using Json = nlohmann::json;

class Command : public LabTest {
 protected:
  struct Said {
    lab::Output output;
    Json json;
    int status() const { return output.status.code; }
  };
  static Said sockswap(const std::string& on, std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), SOCKSWAP);
    arguments.emplace_back("--json");
    Said said{host(on).run(arguments).value(), {}};
    said.json = Json::parse(said.output.out, nullptr, false);
    return said;
  }
};

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

// An unprivileged program's connection, moved on an operator's word.
TEST_F(Command, MoveAsksTheProgram) {
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
  EXPECT_EQ(sockswap("beta", {"move", "10.9.9.9:1-10.9.9.9:2", "--to", "gamma"}).status(),
            SOCKSWAP_NOT_FOUND);
  EXPECT_EQ(sockswap("beta", {"move", "10.9.9.9:1-10.9.9.9:2", "--to", "delta"}).status(),
            SOCKSWAP_UNKNOWN_HOST);
}

}  // namespace
}  // namespace sockswap::test
