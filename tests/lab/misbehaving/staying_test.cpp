// The program at the staying end: it knows nothing of the move, and may do anything at any instant.
#include <csignal>
#include <thread>

#include "process/holders.h"
#include "scene.h"

namespace sockswap::test {
namespace {

class StayingProgram : public Misbehaving {
 protected:
  void tell(const std::string& word, const std::string& answer) {
    ASSERT_TRUE(talk().staying.tell(word));
    await_word(talk().staying, answer);
  }
  void signal(int number, char becomes) {
    const pid_t program = staying_program();
    ASSERT_EQ(::kill(program, number), 0);
    await("that the signal is heard", [&] { return state_of(program) == becomes; });
  }
  // With its descriptors: nobody but the keeper has the end then.
  void kill_it() {
    const pid_t program = staying_program();
    ASSERT_EQ(::kill(program, SIGKILL), 0);
    await("its end", [&] { return state_of(program) == 'Z' || state_of(program) == '?'; });
  }
  // The move is asked for, and the peer's daemon stands at that step of its part.
  void go_to(const std::vector<std::string>& steps) {
    begin(steps);
    go();
    await_trap("peer");
    // A search for holders that is younger is still believed, and then its program isn't missed.
    std::this_thread::sleep_for(2 * process::kMaxAge);
  }
  void expect_moved_and_whole() {
    EXPECT_EQ(await_outcome(), "moved");
    await_word(talk().receiving, "arrived");
    expect_whole(talk().receiving);
    expect_settled();
    expect_another_move();
  }
  // strace, from the host itself.
  Result<lab::Process> debugger() {
    return host("peer").spawn(
        {.argv = {"sh", "-c", "exec strace -o /dev/null -p $(pgrep -n -x sockswap-test-m)"}});
  }
};

// ---- between Found and Hold: nothing stands still yet

TEST_F(StayingProgram, IsKilledBeforeThePause) {
  go_to({"peer:found"});
  kill_it();
  release("peer");
  expect_outcome("undone busy");
  expect_hears_the_end(talk().moving);
  expect_settled();
  expect_another_move();
}

TEST_F(StayingProgram, ClosesItsDescriptorBeforeThePause) {
  go_to({"peer:found"});
  tell("close", "closed");
  release("peer");
  expect_outcome("undone busy");
  expect_hears_the_end(talk().moving);
  EXPECT_NE(state_of(staying_program()), '?') << "nothing has become of the program";
  expect_settled();
  expect_another_move();
}

TEST_F(StayingProgram, ExecsBeforeThePause) {
  go_to({"peer:found"});
  tell("exec", "resumed");
  release("peer");
  expect_moved_and_whole();
}

TEST_F(StayingProgram, DuplicatesItsDescriptorBeforeThePause) {
  go_to({"peer:found"});
  tell("dup", "duplicated");
  release("peer");
  expect_moved_and_whole();
}

// The child came after the search for holders: it must stand still, too.
TEST_F(StayingProgram, ForksBeforeThePause) {
  go_to({"peer:found", "peer:held"});
  tell("fork", "forked");
  const pid_t parent = staying_program(), child = only_child_of(parent);
  release("peer");
  await("the next step", [&] { return state_of(parent) == 't'; });
  await_trap("peer");
  EXPECT_EQ(state_of(parent), 't');
  EXPECT_EQ(state_of(child), 't');
  release("peer");
  EXPECT_EQ(await_outcome(), "moved");
  await("that both run", [&] { return state_of(parent) != 't' && state_of(child) != 't'; });
  EXPECT_EQ(connections_of(child), 1) << "it is its connection as well";
  await_word(talk().receiving, "arrived");
  expect_whole(talk().receiving);
  expect_settled();
}

TEST_F(StayingProgram, IsTracedByADebuggerBeforeThePause) {
  go_to({"peer:found"});
  auto strace = debugger();
  ASSERT_TRUE(strace);
  const auto traced = [&] {
    return host("peer")
        .run({"sh", "-c", "grep -q 'TracerPid:[[:space:]]*[1-9]' /proc/[0-9]*/status"})
        ->status.ok();
  };
  await("the debugger", traced);
  release("peer");
  expect_outcome("undone busy");
  ASSERT_TRUE(strace->kill(SIGTERM));
  ASSERT_TRUE(strace->wait());
  go();
  expect_moved_and_whole();
}

// As a program that waits for its vfork() child, or for a disk that doesn't answer.
TEST_F(StayingProgram, IsInUninterruptibleSleep) {
  go_to({"peer:found"});
  tell("vfork", "vforks");
  const pid_t program = staying_program();
  await("its sleep", [&] { return state_of(program) == 'D'; });
  release("peer");
  expect_outcome("undone timed-out");
  await_word(talk().staying, "vforked");
  go();
  expect_moved_and_whole();
}

// ---- between Held and Swap: it stands still

TEST_F(StayingProgram, IsKilledWhilePaused) {
  go_to({"peer:held"});
  EXPECT_EQ(state_of(staying_program()), 't');
  kill_it();
  release("peer");
  EXPECT_EQ(await_outcome(), "moved") << "its end is whole, and the kernel closes it at its new place";
  await_word(talk().receiving, "arrived");
  expect_hears_the_end(talk().receiving);
  expect_settled();
  expect_another_move();
}

// The same, and nobody swaps: the origin gives up before the peer goes on.
TEST_F(StayingProgram, IsKilledWhilePausedForAMoveThatIsUndone) {
  go_to({"peer:paused"});
  kill_it();
  expect_outcome("undone timed-out");
  release("peer");
  expect_hears_the_end(talk().moving);
  expect_settled();
  expect_another_move();
}

TEST_F(StayingProgram, IsKilledBetweenSwapAndItsRunningOn) {
  go_to({"peer:repointed"});
  EXPECT_EQ(state_of(staying_program()), 't');
  kill_it();
  release("peer");
  EXPECT_EQ(await_outcome(), "moved");
  await_word(talk().receiving, "arrived");
  expect_hears_the_end(talk().receiving);
  expect_settled();
  expect_another_move();
}

TEST_F(StayingProgram, CantBeTracedByADebuggerWhilePaused) {
  go_to({"peer:held"});
  auto strace = debugger();
  ASSERT_TRUE(strace);
  const auto ended = strace->wait();
  ASSERT_TRUE(ended);
  EXPECT_FALSE(ended->ok()) << "the debugger is refused, not the program disturbed";
  release("peer");
  expect_moved_and_whole();
}

// ---- stopped by its user, who wants it to stay so, whenever that was

struct Stop {
  int signal;
  const char* step;  // where it is stopped; empty: before the move
};

class StoppedProgram : public StayingProgram, public ::testing::WithParamInterface<Stop> {};

TEST_P(StoppedProgram, StaysStoppedAndGoesOnWhenItIsContinued) {
  const auto& [stop, step] = GetParam();
  const bool before = std::string(step).empty();
  if (before) {
    begin({});
    signal(stop, 'T');
    go();
  } else {
    go_to({step});
    const bool paused = state_of(staying_program()) == 't';
    signal(stop, paused ? 't' : 'T');  // it stands still already: the signal waits
    release("peer");
  }
  EXPECT_EQ(await_outcome(), "moved");
  await_word(talk().receiving, "arrived");
  await("that it is stopped", [&] { return state_of(staying_program()) == 'T'; });
  std::this_thread::sleep_for(300ms);
  EXPECT_EQ(state_of(staying_program()), 'T') << "its user has stopped it, and nobody has continued it";
  ASSERT_EQ(::kill(staying_program(), SIGCONT), 0);
  expect_whole(talk().receiving);
  expect_settled();
}
INSTANTIATE_TEST_SUITE_P(Stops, StoppedProgram,
                         ::testing::Values(Stop{SIGSTOP, ""}, Stop{SIGTSTP, ""}, Stop{SIGSTOP, "peer:found"},
                                           Stop{SIGTSTP, "peer:found"}, Stop{SIGSTOP, "peer:held"},
                                           Stop{SIGTSTP, "peer:held"}, Stop{SIGSTOP, "peer:repointed"},
                                           Stop{SIGTSTP, "peer:repointed"}),
                         [](const auto& of) {
                           const std::string step = of.param.step;
                           return std::string(of.param.signal == SIGSTOP ? "SIGSTOP" : "SIGTSTP") + "_" +
                                  (step.empty() ? "before" : step.substr(step.find(':') + 1));
                         });

// Stopped and continued again, all while it is paused for the move: the last word counts.
TEST_F(StayingProgram, IsStoppedAndContinuedWhilePaused) {
  go_to({"peer:held"});
  signal(SIGSTOP, 't');
  signal(SIGCONT, 't');
  EXPECT_EQ(state_of(staying_program()), 't') << "SIGCONT doesn't end the pause";
  release("peer");
  expect_moved_and_whole();
}

}  // namespace
}  // namespace sockswap::test
