// Colour is for terminals. The control is the terminal: it does get colours.
#include <gtest/gtest.h>

#include "fake_daemon.h"
#include "run_command.h"

namespace sockswap::cli {
namespace {

bool coloured(const Ran& ran) { return ran.out.find('\x1b') != std::string::npos; }

class Terminal : public testing::Test {
 protected:
  static wire::Reply one_host() {
    wire::Reply reply;
    auto& host = *reply.mutable_hosts()->add_hosts();
    host.set_name("alpha");
    host.set_state("self");
    return reply;
  }
  Ran hosts(Surroundings surroundings, std::vector<std::string> words = {"hosts"}) {
    surroundings.control = daemon_.path();
    return run_command(std::move(words), surroundings);
  }
  static constexpr auto terminal = Surroundings::Stream::terminal;
  FakeDaemon daemon_{one_host()};
};

TEST_F(Terminal, NoEscapeCodesOnAPipe) { EXPECT_FALSE(coloured(hosts({}))); }
TEST_F(Terminal, ColoursOnATerminal) { EXPECT_TRUE(coloured(hosts({.out = terminal}))); }
TEST_F(Terminal, OnlyStdoutCounts) { EXPECT_FALSE(coloured(hosts({.err = terminal}))); }
TEST_F(Terminal, NoColorIsRespected) {
  EXPECT_FALSE(coloured(hosts({.out = terminal, .environment = {"NO_COLOR=1"}})));
}
TEST_F(Terminal, DumbTerminalsGetNone) {
  EXPECT_FALSE(coloured(hosts({.out = terminal, .environment = {"TERM=dumb"}})));
}
TEST_F(Terminal, JsonHasNone) { EXPECT_FALSE(coloured(hosts({.out = terminal}, {"hosts", "--json"}))); }

}  // namespace
}  // namespace sockswap::cli
