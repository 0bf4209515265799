// What Daemon does with a daemon that takes its time.
#include "cli/daemon.h"

#include <gtest/gtest.h>

#include "fake_daemon.h"

namespace sockswap::cli {
namespace {

using namespace std::chrono_literals;

TEST(Daemon, SilenceHasAnEnd) {
  const FakeDaemon silent([](const wire::Request&, const Speaker&) {});
  auto daemon = Daemon::connect(silent.path(), 20ms);
  ASSERT_TRUE(daemon);
  const auto hosts = daemon->hosts();
  ASSERT_FALSE(hosts);
  EXPECT_EQ(hosts.error().code, ErrorCode::timed_out);
}

// Whatever a daemon says that is no answer must not keep the command waiting for ever.
TEST(Daemon, ChatterIsNoAnswer) {
  wire::Reply chatter;
  chatter.mutable_done();
  const std::string frame("\0\0\0\6\1\0\0\0\0\0\0\0\x12\0", 14);  // a Done, of no request
  const FakeDaemon talkative([&](const wire::Request&, const Speaker& speaker) {
    while (speaker.say_bytes(frame)) continue;
  });
  auto daemon = Daemon::connect(talkative.path(), 50ms);
  ASSERT_TRUE(daemon);
  const auto hosts = daemon->hosts();
  ASSERT_FALSE(hosts);
  EXPECT_EQ(hosts.error().code, ErrorCode::timed_out) << hosts.error().text();
  { const auto gone = std::move(daemon); }  // lets the script end
}

TEST(Daemon, AnswersToOthersAreSkipped) {
  const FakeDaemon mixed([](const wire::Request& request, const Speaker& speaker) {
    wire::Reply reply;
    reply.mutable_hosts()->add_hosts()->set_name("somebody else's");
    speaker.say(reply, request.number() + 1);
    reply.mutable_hosts()->mutable_hosts(0)->set_name("ours");
    speaker.say(reply);
  });
  auto daemon = Daemon::connect(mixed.path());
  ASSERT_TRUE(daemon);
  const auto hosts = daemon->hosts();
  ASSERT_TRUE(hosts);
  EXPECT_EQ(hosts->hosts.at(0).name, "ours");
}

}  // namespace
}  // namespace sockswap::cli
