// The program that gives its end away: it isn't to touch the descriptor meanwhile, and does.
#include <csignal>

#include "scene.h"

namespace sockswap::test {
namespace {

class MovingProgram : public Misbehaving {
 protected:
  void go_to(const std::string& step) {
    begin({step});
    go();
    await_trap("origin");
  }
  void tell(const std::string& word, const std::string& answer) {
    ASSERT_TRUE(talk().moving.tell(word));
    await_word(talk().moving, answer);
  }
  void kill_it() {
    const pid_t program = talk().moving.pid();
    ASSERT_EQ(::kill(program, SIGKILL), 0);
    await("its end", [&] { return state_of(program) == 'Z' || state_of(program) == '?'; });
  }
  void expect_arrives_whole() {
    await_word(talk().receiving, "arrived");
    expect_whole(talk().receiving);
    expect_settled();
  }
};

// Undone, and its end ends with it.
class KilledBeforeTheArbiterIsAsked : public MovingProgram,
                                      public ::testing::WithParamInterface<const char*> {};

TEST_P(KilledBeforeTheArbiterIsAsked, EndsItsConnectionAsWithoutUs) {
  go_to(GetParam());
  kill_it();
  release("origin");
  expect_hears_the_end(talk().staying);
  expect_settled();
  talk().receiving.listen();
  EXPECT_FALSE(talk().receiving.said("arrived"));
  expect_another_move();
}
INSTANTIATE_TEST_SUITE_P(Steps, KilledBeforeTheArbiterIsAsked,
                         ::testing::Values("origin:asked", "origin:agreed", "origin:frozen"),
                         [](const auto& of) { return std::string(of.param).substr(7); });

TEST_F(MovingProgram, IsKilledOnceTheArbiterIsAsked) {
  go_to("origin:deciding");
  kill_it();
  release("origin");
  expect_arrives_whole();
  expect_another_move();
}

// The new program inherits the end, but not the connection to the daemon: it hasn't asked for a move.
TEST_F(MovingProgram, ExecsWhileFrozen) {
  go_to("origin:frozen");
  tell("exec", "resumed");
  release("origin");
  expect_settled();
  expect_whole(talk().moving);
  talk().receiving.listen();
  EXPECT_FALSE(talk().receiving.said("arrived"));
  expect_another_move();
}

TEST_F(MovingProgram, ExecsOnceTheArbiterIsAsked) {
  go_to("origin:deciding");
  tell("exec", "resumed");
  release("origin");
  await_word(talk().receiving, "arrived");
  await_word(talk().moving, "broken");
  expect_arrives_whole();
}

// Whatever copies it has made, they are of a socket that has no connection any more.
struct Copies {
  const char *step, *word, *answer;
};
class MovingProgramsCopies : public MovingProgram, public ::testing::WithParamInterface<Copies> {};

TEST_P(MovingProgramsCopies, HaveNoConnectionAfterTheMove) {
  const auto& [step, word, answer] = GetParam();
  go_to(step);
  tell(word, answer);
  release("origin");
  EXPECT_EQ(await_outcome(), "moved");
  EXPECT_EQ(connections_of(talk().moving.pid()), 0);
  if (std::string(word) == "fork") {
    EXPECT_EQ(connections_of(only_child_of(talk().moving.pid())), 0);
  }
  expect_arrives_whole();
  expect_another_move();
}
INSTANTIATE_TEST_SUITE_P(
    Of, MovingProgramsCopies,
    ::testing::Values(Copies{"origin:asked", "fork", "forked"}, Copies{"origin:asked", "copy", "copied"},
                      Copies{"origin:asked", "dup", "duplicated"}, Copies{"origin:asked", "close", "closed"},
                      Copies{"origin:frozen", "fork", "forked"}, Copies{"origin:frozen", "copy", "copied"},
                      Copies{"origin:frozen", "dup", "duplicated"},
                      Copies{"origin:frozen", "close", "closed"}),
    [](const auto& of) { return std::string(of.param.step).substr(7) + "_" + of.param.word; });

TEST_F(MovingProgram, IsStoppedWhileFrozen) {
  go_to("origin:frozen");
  ASSERT_EQ(::kill(talk().moving.pid(), SIGSTOP), 0);
  release("origin");
  await_word(talk().receiving, "arrived");
  ASSERT_EQ(::kill(talk().moving.pid(), SIGCONT), 0);
  EXPECT_EQ(await_outcome(), "moved");
  expect_arrives_whole();
}

}  // namespace
}  // namespace sockswap::test
