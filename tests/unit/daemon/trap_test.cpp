#include "daemon/trap.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

namespace sockswap::daemon {
namespace {

TEST(Traps, AreARoleAndAStep) {
  for (const char* text : {"", "origin", "origin:", ":held", "arbiter:held"}) {
    const auto traps = Traps::parse({text});
    ASSERT_FALSE(traps) << text;
    EXPECT_EQ(traps.error().code, ErrorCode::usage);
  }
  const auto traps = Traps::parse({"destination:in doubt"});
  ASSERT_TRUE(traps);
  EXPECT_FALSE(traps->empty());
  EXPECT_TRUE(Traps::parse({})->empty());
}

TEST(Traps, StopTheProcessOnceAtThatStepOfThatRole) {
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    auto traps = Traps::parse({"peer:held", "peer:swapped"});
    traps->reached("origin", "held");
    traps->reached("peer", "found");
    traps->reached("peer", "held");
    traps->reached("peer", "held");
    traps->reached("peer", "swapped");
    ::_exit(7);
  }
  int status = 0;
  for (int stops = 0; stops < 2; ++stops) {
    ASSERT_EQ(::waitpid(child, &status, WUNTRACED), child);
    ASSERT_TRUE(WIFSTOPPED(status));
    ::kill(child, SIGCONT);
  }
  ASSERT_EQ(::waitpid(child, &status, WUNTRACED), child);
  ASSERT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 7);
}

}  // namespace
}  // namespace sockswap::daemon
