// Daemons come and go; what is kept stays as it is.
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <thread>

#include "fixture.h"
#include "keep/launch.h"
#include "support/tcp_pair.h"

namespace sockswap::keeper {
namespace {

// A daemon that does its work and is then killed.
template <class Work>
void as_killed_daemon(Work work) {
  const pid_t pid = ::fork();
  if (pid == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    work();
    ::kill(::getpid(), SIGKILL);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(pid, &status, 0), pid);
  ASSERT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

// One step of a move after the other, each by a daemon that is killed right after it.
TEST(Succession, EachStepByAnotherDaemon) {
  SKIP_UNLESS_TRACING();
  KeeperProcess keeper;
  const auto program = echoing_program();
  move::MoveId id;
  {
    keep::Client client = keeper.connect();
    Move move(client, *program);
    id = move.id;
    move.find();
    move.freeze();
  }
  const auto with_move = [&](auto step) {
    as_killed_daemon([&] {
      keep::Client client = keeper.connect();
      Move move(client, *program);
      move.id = id;
      move.frozen = must(client.freeze_moving(id, {}, 1 << 28));  // again, without the descriptor
      move.reserve();                                             // again, but for the first time
      step(client, move);
    });
  };
  with_move([](keep::Client&, Move& move) { must(move.hold()); });
  with_move([](keep::Client&, Move& move) { move.rebuild(); });
  with_move([](keep::Client& client, Move& move) { must(client.swap(move.id)); });
  with_move([](keep::Client& client, Move& move) { must(client.resume(move.id)); });
  with_move([](keep::Client&, Move& move) { move.let_go(); });

  keep::Client client = keeper.connect();
  EXPECT_EQ(must(client.inventory()).moves.size(), 3U);
  auto gone = must(client.let_go(id, {}, ::getuid()));
  ASSERT_EQ(gone.live.size(), 1U);
  must(client.handed_over(id));
  must(client.release_moving(id));
  EXPECT_EQ(talk_with(gone.live.front().fd.get(), "after"), "after");
  EXPECT_TRUE(program->said().empty());
}

TEST(Succession, ASecondDaemonIsTurnedAwayWhileTheFirstLives) {
  KeeperProcess keeper;
  {
    keep::Client first = keeper.connect();
    EXPECT_EQ(code_of(keep::Client::connect(keeper.socket())), ErrorCode::busy);
    must(first.inventory());
  }
  must(keeper.connect().inventory());
}

// It may be a while: a keeper looks at every socket here before it serves anybody.
TEST(Succession, AKeeperThatIsSlowToStartIsWaitedFor) {
  KeeperProcess keeper;
  keeper.connect();
  keeper.signal(SIGSTOP);
  const std::jthread later([&] {
    std::this_thread::sleep_for(keep::patience + std::chrono::seconds(1));
    keeper.signal(SIGCONT);
  });
  must(must(keep::Client::connect(keeper.socket())).inventory());
}

TEST(Succession, AKeeperThatHasEndedIsSaidToHave) {
  KeeperProcess keeper;
  keep::Client client = keeper.connect();
  keeper.signal(SIGKILL);
  keeper.await_exit();
  const auto told = client.inventory();
  ASSERT_FALSE(told);
  EXPECT_EQ(told.error().code, ErrorCode::no_daemon);
  EXPECT_TRUE(told.error().text().starts_with("the keeper: ")) << told.error().text();
}

TEST(Succession, NobodyElsesProcessIsTalkedTo) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root: to be somebody else";
  KeeperProcess keeper;
  keeper.connect();  // it is there
  std::filesystem::permissions(keeper.folder(), std::filesystem::perms::all);
  std::filesystem::permissions(keeper.socket(),
                               std::filesystem::perms::all);  // so that only SO_PEERCRED is left
  const pid_t pid = ::fork();
  if (pid == 0) {
    if (::setresuid(65534, 65534, 65534) != 0) ::_exit(9);
    const Fd fd = keeper.connect_raw();
    char byte = 0;
    ::_exit(::recv(fd.get(), &byte, 1, 0) <= 0 ? 0 : 7);  // closed without a word
  }
  int status = 0;
  ASSERT_EQ(::waitpid(pid, &status, 0), pid);
  EXPECT_EQ(status, 0);
}

// It would be handed everybody's connections.
TEST(Succession, AProgramInTheKeepersPlaceIsNotTalkedTo) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root: to be somebody else";
  KeeperProcess keeper;
  keeper.connect();
  keeper.signal(SIGKILL);
  keeper.await_exit();
  std::filesystem::permissions(keeper.folder(), std::filesystem::perms::all);
  std::filesystem::remove(keeper.socket());
  process::Child usurper([&](const process::World& world) {
    if (::setresuid(65534, 65534, 65534) != 0) ::_exit(9);
    const auto listener = keep::listen_at(keeper.socket());
    world.say(listener ? "listens" : listener.error().text());
    for (;;) ::pause();
  });
  ASSERT_EQ(usurper.next_line(), "listens");
  EXPECT_EQ(code_of(keep::Client::connect(keeper.socket())), ErrorCode::not_permitted);
}

TEST(Succession, TheClientKnowsWhenItsKeeperHasGone) {
  KeeperProcess keeper;
  keep::Client client = keeper.connect();
  int told = 0;
  client.on_broken = [&](const Error&) { ++told; };
  keeper.signal(SIGKILL);
  keeper.await_exit();
  char byte = 0;
  EXPECT_EQ(::read(client.alive(), &byte, 1), 0);
  EXPECT_EQ(code_of(client.inventory()), ErrorCode::no_daemon);
  EXPECT_EQ(code_of(client.inventory()), ErrorCode::no_daemon);
  EXPECT_EQ(told, 1);
}

TEST(Succession, SigtermUndoesWhatIsNotSwapped) {
  SKIP_UNLESS_TRACING();
  KeeperProcess keeper;
  keep::Client client = keeper.connect();
  const auto program = echoing_program();
  Move move(client, *program);
  move.prepare();
  keeper.signal(SIGTERM);
  EXPECT_EQ(keeper.await_exit(), 0);
  EXPECT_EQ(talk_with(program->peer(), "as it was"), "as it was");
}

TEST(Succession, AfterGoodbyeNothingIsKeptAndOnlyATransientKeeperEnds) {
  SKIP_UNLESS_TRACING();
  for (const bool transient : {false, true}) {
    KeeperProcess keeper(transient ? std::vector<std::string>{"--transient"} : std::vector<std::string>{});
    keep::Client client = keeper.connect();
    const auto program = echoing_program();
    Move move(client, *program);
    move.prepare();
    must(client.goodbye());
    EXPECT_EQ(talk_with(program->peer(), "as it was"), "as it was");
    if (transient) {
      EXPECT_EQ(keeper.await_exit(), 0);
    } else {
      EXPECT_EQ(must(client.inventory()).moves.size(), 1U) << "that it was undone is remembered";
    }
  }
}

TEST(Succession, ATransientKeeperEndsWhenItIsIdleAndNotBefore) {
  KeeperProcess keeper({"--transient", "--idle-limit", "100"});
  const auto pair = test::connect_pair(test::Kind::ipv4);
  {
    keep::Client client = keeper.connect();
    const int fd = pair.client.get();
    must(client.store("key", 0, std::span(&fd, 1), {}));
    std::this_thread::sleep_for(200ms);
    EXPECT_TRUE(keeper.running()) << "its daemon lives";
  }
  std::this_thread::sleep_for(300ms);
  ASSERT_TRUE(keeper.running()) << "something is kept";
  must(keeper.connect().discard("key"));
  EXPECT_EQ(keeper.await_exit(), 0);
}

}  // namespace
}  // namespace sockswap::keeper
