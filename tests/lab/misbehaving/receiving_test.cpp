// The program that is to get the end dies: at every step, and right after it was handed it.
#include <csignal>

#include "scene.h"

namespace sockswap::test {
namespace {

struct Death {
  const char* step;
  const char* outcome;  // what the program that moves is told
};

class ReceivingProgram : public Misbehaving, public ::testing::WithParamInterface<Death> {};

TEST_P(ReceivingProgram, Dies) {
  const auto& [step, outcome] = GetParam();
  begin({step});
  go();
  await_trap("destination");
  // Once Ready is said: so that the move is committed for sure.
  if (const std::string wanted = outcome; !wanted.starts_with("undone"))
    await("the commit", [&] { return reached("peer", "swapped"); });
  ASSERT_EQ(::kill(talk().receiving.pid(), SIGKILL), 0);
  await("its end", [&] {
    const char state = state_of(talk().receiving.pid());
    return state == 'Z' || state == '?';
  });
  release("destination");
  const std::string told = await_outcome();
  EXPECT_TRUE(told.starts_with(outcome)) << told;
  if (told.starts_with("undone"))
    expect_whole(talk().moving);
  else
    expect_hears_the_end(talk().staying);
  expect_settled();
  expect_another_move();
}
INSTANTIATE_TEST_SUITE_P(Steps, ReceivingProgram,
                         ::testing::Values(Death{"destination:reserved", "undone receiver-gone"},
                                           Death{"destination:delivered", "undone receiver-gone"},
                                           Death{"destination:rebuilt", "lost"},
                                           Death{"destination:letting go", "lost"},
                                           Death{"destination:thawed", "lost"},
                                           Death{"destination:handed over", "moved"}),
                         [](const auto& of) {
                           std::string name = std::string(of.param.step).substr(12);
                           for (char& each : name)
                             if (each == ' ') each = '_';
                           return name;
                         });

}  // namespace
}  // namespace sockswap::test
