#include <gtest/gtest.h>

#include "fake_daemon.h"
#include "run_command.h"

namespace sockswap::cli {
namespace {

using Words = std::vector<std::string>;

TEST(Usage, ErrorsAreStatusTwoWithAHint) {
  const Words wrong[] = {{},
                         {"frobnicate"},
                         {"hosts", "--frobnicate"},
                         {"hosts", "extra"},
                         {"move"},
                         {"move", "10.0.0.1:1-10.0.0.2:2"},
                         {"move", "10.0.0.1:1-10.0.0.2:2", "--to"},
                         {"move", "10.0.0.1:1-10.0.0.2:2", "--to", "--dry-run"},
                         {"move", "10.0.0.1:1-10.0.0.2:2", "--to", "b", "--receiver", "--dry-run"},
                         {"hosts", "--control", "--json"},
                         {"ls", "--pid", "none"},
                         {"ls", "--pid", "0"},
                         {"ls", "--port", "65536"},
                         {"cluster"},
                         {"cluster", "frobnicate"},
                         {"cluster", "add"},
                         {"help", "frobnicate"},
                         {"help", "move", "frobnicate"}};
  for (Words words : wrong) {
    const std::string line = testing::PrintToString(words);
    const Ran text = run_command(words);
    EXPECT_EQ(text.status, 2) << line;
    if (words.empty() || words.back() != "--json") {
      EXPECT_EQ(text.out, "") << line;
    }
    EXPECT_EQ(text.err.find("sockswap: "), 0u) << line << text.err;
    EXPECT_NE(text.err.find("\nhint: "), std::string::npos) << line << text.err;
    words.emplace_back("--json");
    const Ran json = run_command(words);
    EXPECT_EQ(json.status, 2) << line;
    EXPECT_EQ(json.json()["error"]["code"], 2) << line;
  }
}

TEST(Usage, HelpIsDataAndHasExamples) {
  for (const Words& words :
       {Words{"--help"}, Words{"help"}, Words{"-h"}, Words{"move", "--help"}, Words{"help", "move"},
        Words{"help", "cluster", "add"}, Words{"help", "help"}, Words{"cluster", "init", "-h"}}) {
    const Ran ran = run_command(words);
    EXPECT_EQ(ran.status, 0);
    EXPECT_EQ(ran.err, "");
    EXPECT_NE(ran.out.find("Usage: sockswap"), std::string::npos) << ran.out;
    EXPECT_NE(ran.out.find("Examples:\n  sockswap"), std::string::npos) << ran.out;
  }
}

TEST(Usage, BothWaysToAskForHelpSayTheSame) {
  for (const char* verb : {"check", "hosts", "ls", "move", "moves", "cluster", "version"})
    EXPECT_EQ(run_command({"help", verb}).out, run_command({verb, "--help"}).out) << verb;
  EXPECT_EQ(run_command({"help"}).out, run_command({"--help"}).out);
}

TEST(Usage, HelpFitsThePage) {
  for (const char* verb : {"check", "hosts", "ls", "move", "moves", "cluster", "version"}) {
    std::istringstream lines(run_command({"help", verb}).out);
    for (std::string line; std::getline(lines, line);) EXPECT_LE(line.size(), 100u) << line;
  }
}

TEST(Usage, VersionInBothWays) {
  const Ran flag = run_command({"--version"});
  EXPECT_EQ(flag.status, 0);
  EXPECT_EQ(flag.out, run_command({"version"}).out);
  EXPECT_EQ(flag.out,
            "sockswap " + run_command({"version", "--json"}).json()["version"].get<std::string>() + "\n");
}

TEST(Usage, ControlSocketComesFromTheOptionThenTheEnvironment) {
  wire::Reply reply;
  reply.mutable_hosts();
  const FakeDaemon daemon(reply);
  EXPECT_EQ(ask(daemon.path(), {"hosts"}).status, 0);
  EXPECT_EQ(ask("/nowhere", {"hosts"}).status, 3);
  EXPECT_EQ(ask("/nowhere", {"hosts", "--control", daemon.path()}).status, 0);
  EXPECT_EQ(ask("/nowhere", {"--control", daemon.path(), "hosts"}).status, 0);
  EXPECT_EQ(ask(daemon.path(), {"hosts", "--control", "/nowhere"}).status, 3);
}

TEST(Usage, JsonMayComeBeforeTheVerb) {
  wire::Reply reply;
  reply.mutable_hosts();
  const FakeDaemon daemon(reply);
  EXPECT_EQ(ask(daemon.path(), {"--json", "hosts"}).json(), Json::parse(R"({"hosts": []})"));
}

}  // namespace
}  // namespace sockswap::cli
