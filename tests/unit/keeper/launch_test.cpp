// A keeper that a daemon starts is there at once, is nobody's child, and outlives who started it.
#include "keep/launch.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <sstream>

#include "fixture.h"

namespace sockswap::keeper {
namespace {

TEST(Launch, TheKeeperOutlivesWhoStartedIt) {
  KeeperProcess other;  // for its folder's files
  other.connect();
  other.signal(SIGKILL);
  other.await_exit();
  const auto config = other.folder() / "cluster" / "alpha";
  const pid_t pid = ::fork();
  if (pid == 0) {
    auto listener = keep::listen_at(other.socket());
    if (!listener) ::_exit(1);
    if (!keep::start_keeper(
            KEEPER, {"--run", other.folder(), "--config", config, "--transient", "--log-level", "warn"},
            *listener))
      ::_exit(2);
    ::kill(::getpid(), SIGKILL);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(pid, &status, 0), pid);
  ASSERT_TRUE(WIFSIGNALED(status)) << WEXITSTATUS(status);
  auto client = keep::Client::connect(other.socket());
  ASSERT_TRUE(client) << client.error().text();
  must(client->inventory());
  EXPECT_EQ(code_of(keep::listen_at(other.socket())), ErrorCode::busy);
  must(client->goodbye());
}

TEST(Launch, AProgramThatIsMissingIsSaidSo) {
  KeeperProcess other;
  other.connect();
  other.signal(SIGKILL);
  other.await_exit();
  auto listener = must(keep::listen_at(other.socket()));
  EXPECT_EQ(code_of(keep::start_keeper("/nonexistent", {}, listener)), ErrorCode::not_found);
}

}  // namespace
}  // namespace sockswap::keeper
