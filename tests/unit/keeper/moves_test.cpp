// Whole moves through a real keeper, each call made twice: a daemon that isn't sure asks again.
#include <sys/socket.h>
#include <unistd.h>

#include <csignal>
#include <thread>

#include "fixture.h"
#include "support/ramp.h"
#include "support/tcp_pair.h"

namespace sockswap::keeper {
namespace {

using keep::Stage;

void expect_still(const process::Child& program) {
  const std::uint64_t at = program.progress();
  std::this_thread::sleep_for(10ms);
  EXPECT_EQ(program.progress(), at);
}

TEST(KeeperMoves, AnEndMovesAndTheProgramAtTheOtherNoticesNothing) {
  SKIP_UNLESS_TRACING();
  KeeperProcess keeper;
  keep::Client client = keeper.connect();
  const auto program = echoing_program();
  ASSERT_EQ(talk_with(program->peer(), "before"), "before");
  Move move(client, *program);

  for (int twice = 0; twice < 2; ++twice) move.find();
  move.reserve();
  const Endpoint first = move.arrived;
  move.reserve();
  EXPECT_EQ(move.arrived, first);
  EXPECT_NE(move.arrived.port, move.tuple.local.port) << "that one is in use";
  move.freeze();
  const socket::Position position = move.frozen.front().position;
  move.freeze();
  EXPECT_EQ(move.frozen.front().position, position);
  const auto held = must(move.hold());
  ASSERT_EQ(held.ends.size(), 1U);
  EXPECT_EQ(must(move.hold()).ends.front().position, held.ends.front().position);
  expect_still(*program);
  for (int twice = 0; twice < 2; ++twice) move.rebuild();
  EXPECT_EQ(kept(client), (std::vector<std::pair<wire::Role, Stage>>{{wire::ORIGIN, Stage::frozen},
                                                                     {wire::DESTINATION, Stage::rebuilt},
                                                                     {wire::PEER, Stage::held}}));
  for (int twice = 0; twice < 2; ++twice) {
    const auto swapped = must(client.swap(move.id));
    EXPECT_FALSE(swapped.undone_already);
    EXPECT_TRUE(swapped.lost.empty());
  }
  expect_still(*program);
  for (int twice = 0; twice < 2; ++twice) must(client.resume(move.id));
  for (int twice = 0; twice < 2; ++twice) must(client.release_moving(move.id));
  move.let_go();
  const Fd arrived = move.let_go();
  for (int twice = 0; twice < 2; ++twice) must(client.handed_over(move.id));

  EXPECT_EQ(test::local_of(arrived), move.arrived);
  EXPECT_EQ(talk_with(arrived.get(), "after"), "after");
  EXPECT_TRUE(program->said().empty());
  EXPECT_FALSE(must(client.swap(move.id)).undone_already) << "it is remembered";
  EXPECT_TRUE(must(client.undo(move.id)).swapped_already);
  for (int twice = 0; twice < 2; ++twice) must(client.forget(move.id));
  EXPECT_TRUE(kept(client).empty());
}

TEST(KeeperMoves, QueuesOfMegabytesTravel) {
  SKIP_UNLESS_TRACING();
  constexpr std::size_t size = 3 << 20;
  KeeperProcess keeper;
  keep::Client client = keeper.connect();
  process::Child program([](const process::World& world) {  // writes, and never reads
    const Fd socket(world.socket);
    test::send_ramp(socket, 0, size);
    world.ready();
    for (;;) {
      world.progress->fetch_add(1);
      ::usleep(1000);
    }
  });
  program.await_ready();
  Move move(client, program);
  test::send_ramp(move.moving, 0, size);
  move.prepare();
  EXPECT_FALSE(must(client.swap(move.id)).undone_already);
  must(client.resume(move.id));
  must(client.release_moving(move.id));
  const Fd arrived = move.let_go();
  must(client.handed_over(move.id));
  EXPECT_EQ(test::receive_ramp(arrived, 0, size), size);
}

TEST(KeeperMoves, UndoneEverythingIsAsItWas) {
  SKIP_UNLESS_TRACING();
  KeeperProcess keeper;
  keep::Client client = keeper.connect();
  const auto program = echoing_program();
  Move move(client, *program);
  move.prepare();
  for (int twice = 0; twice < 2; ++twice) {
    EXPECT_FALSE(must(client.undo(move.id)).swapped_already);
    must(client.thaw_moving(move.id));
    must(client.drop(move.id));
  }
  EXPECT_EQ(talk_with(program->peer(), "as it was"), "as it was");
  EXPECT_TRUE(must(client.swap(move.id)).undone_already);
  must(client.forget(move.id));
  EXPECT_TRUE(kept(client).empty());
}

TEST(KeeperMoves, AHoldThatFailsLeavesEverythingAsItWas) {
  SKIP_UNLESS_TRACING();
  KeeperProcess keeper;
  keep::Client client = keeper.connect();
  const auto program = echoing_program();
  Move move(client, *program);
  move.find();
  move.reserve();
  move.freeze();
  auto& position = move.frozen.front().position;
  position.rcv_nxt = position.rcv_nxt + 1000;  // what the program has never sent
  EXPECT_EQ(code_of(move.hold()), ErrorCode::disagreement);
  program->await_progress();
  must(client.thaw_moving(move.id));
  must(client.drop(move.id));
  EXPECT_EQ(talk_with(program->peer(), "as it was"), "as it was");
  EXPECT_TRUE(kept(client).empty());
}

TEST(KeeperMoves, AnEndIsFrozenForOneMoveAtATime) {
  SKIP_UNLESS_TRACING();
  KeeperProcess keeper;
  keep::Client client = keeper.connect();
  const auto program = echoing_program();
  Move move(client, *program), other(client, *program);
  move.find();
  other.find();
  move.reserve();
  other.arrived = move.arrived;
  move.freeze();
  const int fd = other.moving.get();
  EXPECT_EQ(code_of(client.freeze_moving(other.id, std::span(&fd, 1), 1 << 20)), ErrorCode::busy);
  must(move.hold());
  other.frozen = move.frozen;
  EXPECT_EQ(code_of(other.hold()), ErrorCode::busy);
  must(client.undo(move.id));
  must(client.thaw_moving(move.id));
  EXPECT_EQ(talk_with(program->peer(), "as it was"), "as it was") << "the second one left no filter";
}

TEST(KeeperMoves, TooLargeQueuesAreRefusedAndTheEndThaws) {
  KeeperProcess keeper;
  keep::Client client = keeper.connect();
  const auto pair = test::connect_pair(test::Kind::ipv4);
  const test::Blackhole hole(pair.server);
  ASSERT_EQ(test::fill(pair.client, 0, 2000), 2000U);
  const int fd = pair.client.get();
  move::MoveId id{};
  EXPECT_EQ(code_of(client.freeze_moving(id, std::span(&fd, 1), 1999)), ErrorCode::too_large);
  EXPECT_EQ(test::get_int(pair.client, IPPROTO_TCP, 19 /* TCP_REPAIR */), 0);
  EXPECT_EQ(must(client.freeze_moving(id, std::span(&fd, 1), 2000)).size(), 1U);
}

TEST(KeeperMoves, WhoIsAskedForIsTheOnlyHolder) {
  SKIP_UNLESS_TRACING();
  KeeperProcess keeper;
  keep::Client client = keeper.connect();
  const auto program = echoing_program();
  Move move(client, *program);
  const FourTuple theirs = move.tuple.flipped();
  EXPECT_EQ(must(client.check_moving(theirs, program->pid())).tuple, theirs);
  EXPECT_EQ(code_of(client.check_moving(theirs, ::getppid())), ErrorCode::not_found);
  auto staying = process::take_descriptor(program->holders().front(), program->inode());
  ASSERT_TRUE(staying);
  const int fd = staying->get();
  EXPECT_EQ(must(client.check_moving(std::span(&fd, 1), program->pid())).size(), 1U);
  EXPECT_EQ(code_of(client.check_moving(std::span(&fd, 1), 0)), ErrorCode::not_movable);
}

TEST(KeeperMoves, ListsConnectionsWithoutItsOwnAndTheDaemons) {
  SKIP_UNLESS_TRACING();
  KeeperProcess keeper;
  keep::Client client = keeper.connect();
  const auto program = echoing_program();
  const Move move(client, *program);
  const auto one = must(client.connection(move.tuple.flipped()));
  ASSERT_TRUE(one);
  ASSERT_EQ(one->holders.size(), 1U);
  EXPECT_EQ(one->holders.front().pid, program->pid());
  EXPECT_EQ(one->not_pausable, "");
  bool theirs = false;
  bool ours = false;
  for (const keep::Connection& connection : must(client.connections())) {
    theirs |= connection.tuple == move.tuple.flipped();
    ours |= connection.tuple == move.tuple;
  }
  EXPECT_TRUE(theirs);
  EXPECT_FALSE(ours) << "only the test, which is the daemon here, holds it";
}

// A process that was there when the holders were sought, and got the socket after that.
TEST(KeeperMoves, WhoGotTheSocketSinceTheSearchStandsStillToo) {
  SKIP_UNLESS_TRACING();
  KeeperProcess keeper;
  keep::Client client = keeper.connect();
  const auto program = echoing_program();
  const process::Holder first = program->holders().front();
  process::Child second([&](const process::World& world) {
    world.ready();
    char byte = 0;
    if (::recv(world.socket, &byte, 1, 0) != 1) ::_exit(1);
    const auto copy = process::take_descriptor(first, program->inode());
    world.say(copy ? "has it" : copy.error().text());
    for (;;) ::pause();
  });
  second.await_ready();
  Move move(client, *program);
  move.find();
  move.reserve();
  ASSERT_EQ(::send(second.peer(), "x", 1, 0), 1);
  ASSERT_EQ(second.next_line(), "has it");
  std::this_thread::sleep_for(2 * process::kMaxAge);
  move.freeze();
  must(move.hold());
  EXPECT_EQ(process::state_of(program->pid()), 't');
  EXPECT_EQ(process::state_of(second.pid()), 't');
  must(client.undo(move.id));
  must(client.thaw_moving(move.id));
  must(client.drop(move.id));
  EXPECT_EQ(talk_with(program->peer(), "as it was"), "as it was");
}

// Its last close is the keeper's then, which waits for nobody: everybody's moves go through it.
TEST(KeeperMoves, AKilledProgramsSocketThatLingersDoesntHoldTheKeeperUp) {
  SKIP_UNLESS_TRACING();
  for (const bool swapped : {true, false}) {
    KeeperProcess keeper;
    keep::Client client = keeper.connect();
    process::Child program([](const process::World& world) {  // has more to send than the other end takes
      const linger lingers{.l_onoff = 1, .l_linger = 60};
      ::setsockopt(world.socket, SOL_SOCKET, SO_LINGER, &lingers, sizeof lingers);
      const Bytes bytes(1 << 16);
      while (::send(world.socket, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT) > 0) continue;
      world.ready();
      for (;;) ::pause();
    });
    program.await_blocked();
    Move move(client, program);
    move.prepare();
    ASSERT_EQ(::kill(program.pid(), SIGKILL), 0);
    process::await_state(program.pid(), 'Z');
    const auto began = std::chrono::steady_clock::now();
    if (swapped) {
      must(client.swap(move.id));
      must(client.resume(move.id));
    } else {
      must(client.undo(move.id));
    }
    EXPECT_TRUE(client.inventory());
    EXPECT_LT(std::chrono::steady_clock::now() - began, 4s) << "the daemon ends if it takes longer";
  }
}

}  // namespace
}  // namespace sockswap::keeper
