// No program stays stopped because a daemon doesn't come back.
#include <thread>

#include "fixture.h"

namespace sockswap::keeper {
namespace {

TEST(HoldLimit, AnArbitersHoldIsUndoneByTheKeeperItself) {
  SKIP_UNLESS_TRACING();
  KeeperProcess keeper({"--hold-limit", "200"});
  const auto program = echoing_program();
  move::MoveId id;
  {
    keep::Client client = keeper.connect();
    Move move(client, *program);
    move.prepare();
    id = move.id;
    const std::uint64_t at = program->progress();
    std::this_thread::sleep_for(20ms);
    EXPECT_EQ(program->progress(), at);
  }  // the daemon is gone
  program->await_progress();
  keep::Client successor = keeper.connect();
  EXPECT_TRUE(must(successor.swap(id)).undone_already);
  EXPECT_FALSE(must(successor.undo(id)).swapped_already);
  must(successor.thaw_moving(id));
  must(successor.drop(id));
  EXPECT_EQ(talk_with(program->peer(), "as it was"), "as it was");
}

// The negative control: the limit is of holds that are neither swapped nor another host's to decide about.
TEST(HoldLimit, IsNotForWhatIsSwappedOrDecidedElsewhere) {
  SKIP_UNLESS_TRACING();
  KeeperProcess keeper({"--hold-limit", "100"});
  keep::Client client = keeper.connect();
  const auto first = echoing_program();
  const auto second = echoing_program();
  Move swapped(client, *first), elsewhere(client, *second);
  swapped.prepare();
  must(client.swap(swapped.id));
  elsewhere.find();
  elsewhere.reserve();
  elsewhere.freeze();
  must(elsewhere.hold(keep::Arbiter::elsewhere));
  std::this_thread::sleep_for(300ms);
  EXPECT_FALSE(must(client.swap(swapped.id)).undone_already);
  EXPECT_FALSE(must(client.swap(elsewhere.id)).undone_already);
  must(client.resume(swapped.id));
  must(client.resume(elsewhere.id));
}

}  // namespace
}  // namespace sockswap::keeper
