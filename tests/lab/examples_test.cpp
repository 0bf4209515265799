// The examples, as examples/README.md shows them. (The third, the receiver, is in command_test.cpp.)
#include <gmock/gmock.h>

#include <thread>

#include "lab/fixture.h"

namespace sockswap::test {
namespace {

class Examples : public LabTest {
 protected:
  static lab::Process start(const std::string& on, std::vector<std::string> argv) {
    auto process = host(on).spawn(
        {.argv = std::move(argv), .in = lab::Stdio::pipe(), .out = lab::Stdio::pipe(), .user = nobody});
    if (!process) throw std::runtime_error(process.error().text());
    return *std::move(process);
  }
  // Once it is there, the server has registered and listens.
  static lab::Process start_echo(const std::string& on, std::uint16_t port) {
    lab::Process echo = start(on, {ECHO_SERVER, std::to_string(port)});
    const std::string probe = "ss -Hltn sport = :" + std::to_string(port) + " | grep -q .";
    for (int i = 0; i < 200 && !host(on).run({"sh", "-c", probe})->status.ok(); ++i)
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    return echo;
  }
  static std::string line_of(lab::Process& process) {
    const auto line = process.read_line();
    return line && *line ? **line : "nothing";
  }
  static std::string answer(lab::Process& process, const std::string& typed) {
    EXPECT_TRUE(process.write(typed + "\n"));
    return line_of(process);
  }
};

// An unmodified client, netcat, is served by another host from its next line on.
TEST_F(Examples, TheEchoServerGivesAClientAway) {
  const std::uint16_t port = next_port();
  lab::Process here = start_echo("alpha", port), there = start_echo("gamma", port);
  lab::Process client = start("beta", {"nc", host("alpha").v4().text(), std::to_string(port)});
  EXPECT_EQ(answer(client, "hello"), "1: hello");
  // What is typed together with the order is the next server's.
  ASSERT_TRUE(client.write("move gamma\nfrom the same piece\n"));
  EXPECT_EQ(line_of(client), "2: from the same piece");
  ASSERT_TRUE(here.kill(SIGKILL));  // as far as this client goes it isn't needed any more
  ASSERT_TRUE(here.wait());
  EXPECT_EQ(answer(client, "are you there?"), "3: are you there?");
  EXPECT_EQ(answer(client, "move delta"), "still here: the cluster has no host 'delta'");
  EXPECT_TRUE(there.running());
}

TEST_F(Examples, TheWandererTakesItsConnectionAlong) {
  const std::uint16_t port = next_port();
  const lab::Process echo = start_echo("beta", port);
  lab::Process leaving = start("alpha", {WANDERER, host("beta").v4().text(), std::to_string(port)});
  EXPECT_EQ(answer(leaving, "hello"), "1: hello");
  const std::string ticket = answer(leaving, "leave");
  EXPECT_THAT(ticket, ::testing::MatchesRegex("alpha/[0-9a-f]+"));
  ASSERT_TRUE(leaving.wait()->ok());
  lab::Process arrived = start("gamma", {WANDERER, ticket});
  ASSERT_TRUE(arrived.write("here again\n"));
  EXPECT_EQ(line_of(arrived), "came from alpha, after 1 lines");
  EXPECT_EQ(line_of(arrived), "2: here again");
}

}  // namespace
}  // namespace sockswap::test
