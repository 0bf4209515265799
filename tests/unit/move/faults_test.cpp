// A move in which one thing fails: every action, and every message with the session that it was on.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "trio.h"

namespace sockswap::move::test {
namespace {

using ::testing::IsEmpty;

constexpr std::uint64_t a_long_state = 1 << 20;

std::string told(const Trio& trio) {
  std::string out;
  for (const std::string& line : trio.history) out += line + "\n";
  return out;
}

TEST(Faults, AFailedActionLeavesEverythingAsItWas) {
  for (const char* action : {"reserve", "find", "take state", "freeze", "hold", "rebuild"}) {
    Trio trio({.failing_action = action, .state_bytes = a_long_state});
    trio.run();
    EXPECT_TRUE(trio.whole_at_origin()) << action << "\n" << told(trio);
    EXPECT_TRUE(trio.concluded && trio.outcome) << action;
    EXPECT_THAT(trio.violations, IsEmpty()) << action;
  }
}

TEST(Faults, ALostMessageEndsAtOnePlaceOrTheOther) {
  Trio faultless({.state_bytes = a_long_state});
  faultless.run();
  bool undone = false, driven_on = false;
  for (int lost = 0; lost < faultless.messages; ++lost) {
    Trio trio({.lose_message = lost, .state_bytes = a_long_state});
    trio.run();
    EXPECT_TRUE(trio.whole_at_origin() || trio.whole_at_destination()) << "message " << lost << "\n"
                                                                       << told(trio);
    EXPECT_THAT(trio.violations, IsEmpty()) << "message " << lost << "\n" << told(trio);
    EXPECT_TRUE(trio.concluded) << "message " << lost;
    EXPECT_EQ(trio.whole_at_origin(), trio.outcome.has_value()) << "message " << lost << "\n" << told(trio);
    undone = undone || trio.whole_at_origin();
    driven_on = driven_on || trio.whole_at_destination();
  }
  EXPECT_TRUE(undone && driven_on) << "both sides of the commit were tried";
}

// Whichever way the news takes: from the peer to the destination, or through the origin.
TEST(Faults, AnEndThatIsLostInTheSwapIsNeverReportedAsMoved) {
  Trio faultless;
  faultless.run();
  for (int lost = -1; lost < faultless.messages; ++lost) {
    Trio trio({.lose_message = lost, .staying_end_is_lost = true});
    trio.run();
    EXPECT_THAT(trio.violations, IsEmpty()) << "message " << lost << "\n" << told(trio);
    ASSERT_TRUE(trio.concluded && trio.outcome) << "message " << lost << "\n" << told(trio);
    if (trio.whole_at_origin()) continue;
    EXPECT_EQ(trio.arriving, Arriving::closed) << "message " << lost;
    EXPECT_EQ(trio.outcome->code, ErrorCode::lost) << "message " << lost << "\n" << told(trio);
  }
}

TEST(Faults, AReceiverThatDiesBeforeTheCommitUndoesTheMove) {
  for (const char* moment : {"origin -> peer: hold", "destination -> origin: ready"}) {
    Trio trio;
    trio.watch = [&, done = false](const std::string& event) mutable {
      if (done || event != moment) return;
      done = true;
      trio.receiver_dies();
    };
    trio.run();
    EXPECT_TRUE(trio.whole_at_origin() || trio.whole_at_destination()) << moment << "\n" << told(trio);
    EXPECT_THAT(trio.violations, IsEmpty()) << moment;
  }
}

}  // namespace
}  // namespace sockswap::move::test
