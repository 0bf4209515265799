// The file system of a daemon's --run is full: what begins is refused by name, what has begun comes to its
// end (docs/protocol.md, section 7).
#include "scene.h"

namespace sockswap::test {
namespace {

class FullDisk : public Misbehaving {
 protected:
  void make_small(const std::string& role) {
    const auto mounted =
        host(role).run({"mount", "-t", "tmpfs", "-o", "size=4m,mode=755", "none", "/run/sockswap"});
    ASSERT_TRUE(mounted && mounted->status.ok()) << mounted->err;
  }
  void fill(const std::string& role) {
    ASSERT_TRUE(host(role).run({"dd", "if=/dev/zero", "of=/run/sockswap/rubbish", "bs=4096"}));
    const auto more = host(role).run({"sh", "-c", "echo x > /run/sockswap/more"});
    ASSERT_TRUE(more && !more->status.ok()) << "it isn't full";
  }
  void make_room(const std::string& role) {
    ASSERT_TRUE(host(role).run({"rm", "/run/sockswap/rubbish"})->status.ok());
  }
  void expect_no_room(const std::string& told) {
    EXPECT_TRUE(told.starts_with("undone no-resources: ")) << told;
    EXPECT_NE(told.find("no room for the journal"), std::string::npos) << told;
  }
  void expect_moves() {
    go();
    EXPECT_EQ(await_outcome(), "moved");
    await_word(talk().receiving, "arrived");
    expect_whole(talk().receiving);
    expect_settled();
  }
};

class FullDiskOf : public FullDisk, public ::testing::WithParamInterface<const char*> {};

TEST_P(FullDiskOf, RefusesAMoveAndLeavesAllAsItWas) {
  const std::string role = GetParam();
  make_small(role);
  begin({});
  fill(role);
  go();
  expect_no_room(await_outcome());
  // The peer is the last to begin: the moving end was frozen by then, and has thawed.
  EXPECT_EQ(reached("origin", "freezing"), role == "peer");
  EXPECT_FALSE(reached("peer", "holding")) << "no program has stood still";
  expect_settled();
  make_room(role);
  expect_moves();
  expect_another_move();
}
INSTANTIATE_TEST_SUITE_P(Hosts, FullDiskOf, ::testing::Values("origin", "destination", "peer"),
                         [](const auto& of) { return std::string(of.param); });

class DiskThatFills : public FullDisk, public ::testing::WithParamInterface<const char*> {};

TEST_P(DiskThatFills, KeepsNoMoveThatHasBegunFromItsEnd) {
  const std::string step = GetParam(), role = step.substr(0, step.find(':'));
  make_small(role);
  begin({step});
  go();
  await_trap(role);
  fill(role);
  release(role);
  EXPECT_EQ(await_outcome(), "moved");
  await_word(talk().receiving, "arrived");
  expect_whole(talk().receiving);
  expect_settled();
}
INSTANTIATE_TEST_SUITE_P(Steps, DiskThatFills,
                         ::testing::Values("origin:frozen", "origin:held", "destination:reserved",
                                           "destination:rebuilt", "peer:paused", "peer:held",
                                           "peer:swapping"),
                         [](const auto& of) {
                           std::string name = of.param;
                           name[name.find(':')] = '_';
                           return name;
                         });

// A later record, that no room is kept for: a long state.
TEST_F(FullDisk, HasNoRoomForALongState) {
  constexpr std::size_t long_state = 1'600'000;
  make_small("destination");
  begin({"destination:reserved"}, long_state);
  go();
  await_trap("destination");
  fill("destination");
  release("destination");
  expect_no_room(await_outcome());
  EXPECT_TRUE(reached("origin", "bringing"));
  EXPECT_FALSE(reached("origin", "freezing"));
  EXPECT_FALSE(reached("peer", "holding"));
  expect_settled();
  make_room("destination");
  expect_moves();
}

// The last record that can be refused, destination-ready: the room that was asked for at once is used up by
// moves, one after the other, until one is refused with both ends frozen, and undone.
TEST_F(FullDisk, RefusesWhenTheRoomIsUsedUp) {
  constexpr std::size_t most_in_deliver = 65'000;
  make_small("destination");
  begin({"destination:reserved"}, most_in_deliver);
  go();
  await_trap("destination");
  fill("destination");
  release("destination");
  std::string told = await_outcome();
  int moves = 0;
  for (; told == "moved"; ++moves) {
    ASSERT_LT(moves, 100) << "it was never full";
    await_word(talk().receiving, "arrived");
    expect_whole(talk().receiving);
    talk_again(most_in_deliver);
    go();
    told = await_outcome();
  }
  EXPECT_GT(moves, 5);
  expect_no_room(told);
  EXPECT_TRUE(reached("origin", "thawed"));
  make_room("destination");
  expect_moves();
}

}  // namespace
}  // namespace sockswap::test
