// Every error's exit status, text and JSON; and a daemon that is missing, silent or mad.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "fake_daemon.h"
#include "run_command.h"

namespace sockswap::cli {
namespace {

struct Case {
  int code;
  const char* name;
};
constexpr Case cases[] = {
    {1, "internal"},        {2, "usage"},          {3, "no-daemon"},         {4, "unknown-host"},
    {5, "unreachable"},     {6, "no-peer-daemon"}, {7, "unknown-receiver"},  {8, "not-found"},
    {9, "not-permitted"},   {10, "not-movable"},   {11, "version-mismatch"}, {12, "receiver-gone"},
    {13, "busy"},           {14, "timed-out"},     {15, "disagreement"},     {16, "too-large"},
    {17, "unsupported"},    {18, "no-resources"},  {19, "in-doubt"},         {20, "lost"},
    {200, "unknown-error"},  // of a newer daemon
};

class EveryError : public testing::TestWithParam<Case> {};

TEST_P(EveryError, IsTheExitStatusAndOnStderr) {
  const FakeDaemon daemon(failed(static_cast<unsigned>(GetParam().code), "it failed", "do this"));
  for (const char* verb : {"hosts", "ls", "moves"}) {
    const Ran ran = ask(daemon.path(), {verb});
    EXPECT_EQ(ran.status, GetParam().code) << verb;
    EXPECT_EQ(ran.out, "") << verb;
    EXPECT_EQ(ran.err, "sockswap: it failed\nhint: do this\n") << verb;
  }
}

TEST_P(EveryError, IsJsonOnStdoutToo) {
  const FakeDaemon daemon(failed(static_cast<unsigned>(GetParam().code), "it failed", "do this"));
  const Ran ran = ask(daemon.path(), {"move", "10.0.0.1:1-10.0.0.2:2", "--to", "beta", "--json"});
  EXPECT_EQ(ran.status, GetParam().code);
  EXPECT_EQ(ran.json(), (Json{{"error",
                               {{"code", GetParam().code},
                                {"name", GetParam().name},
                                {"message", "it failed"},
                                {"hint", "do this"}}}}));
  EXPECT_EQ(ran.err, "sockswap: it failed\nhint: do this\n");
}

TEST_P(EveryError, IsDocumented) {
  if (GetParam().code == 200) return;
  std::ifstream file(SOCKSWAP_DOCS "/errors.md");
  std::stringstream text;
  text << file.rdbuf();
  EXPECT_NE(text.str().find(fmt::format("## {} {}\n", GetParam().code, GetParam().name)), std::string::npos);
}

INSTANTIATE_TEST_SUITE_P(Code, EveryError, testing::ValuesIn(cases), [](const auto& parameter) {
  std::string name = parameter.param.name;
  std::erase(name, '-');
  return name;
});

TEST(Errors, CodeZeroIsNoSuccess) {
  const FakeDaemon daemon(failed(0, "it failed", ""));
  EXPECT_EQ(ask(daemon.path(), {"hosts"}).status, 1);
}

TEST(Errors, MessagesStayOnTheirLine) {
  const FakeDaemon daemon(failed(8, "two\nlines\x1b[2J", ""));
  EXPECT_EQ(ask(daemon.path(), {"hosts"}).err, "sockswap: two?lines?[2J\n");
}

TEST(Errors, NoDaemon) {
  const Ran ran = ask(testing::TempDir() + "no-such-socket", {"hosts"});
  EXPECT_EQ(ran.status, 3);
  EXPECT_EQ(ran.out, "");
  EXPECT_NE(ran.err.find("hint: "), std::string::npos);
}

TEST(Errors, GarbageInPlaceOfADaemon) {
  const FakeDaemon daemon([](const wire::Request&, const Speaker& speaker) {
    speaker.say_bytes("HTTP/1.1 400 Bad Request\r\n\r\n");
  });
  const Ran ran = ask(daemon.path(), {"hosts", "--json"});
  EXPECT_EQ(ran.status, 1);
  EXPECT_EQ(ran.json()["error"]["name"], "internal");
}

TEST(Errors, AFrameThatIsNoReply) {
  const FakeDaemon daemon([](const wire::Request&, const Speaker& speaker) {
    speaker.say_bytes(std::string_view("\0\0\0\6\1\0\0\0\0\0\0\0\xff\xff", 14));
  });
  EXPECT_EQ(ask(daemon.path(), {"hosts"}).status, 1);
}

TEST(Errors, TheWrongKindOfReply) {
  wire::Reply moves;
  moves.mutable_moves();
  const FakeDaemon daemon(moves);
  EXPECT_EQ(ask(daemon.path(), {"moves"}).status, 0) << "the control";
  EXPECT_EQ(ask(daemon.path(), {"hosts"}).status, 1);
  EXPECT_EQ(ask(daemon.path(), {"ls"}).status, 1);
}

TEST(Errors, ADaemonThatHangsUp) {
  const FakeDaemon daemon([](const wire::Request&, const Speaker& speaker) { speaker.hang_up(); });
  EXPECT_EQ(ask(daemon.path(), {"hosts"}).status, 3);
}

TEST(Errors, AFullDiskIsOne) {
  wire::Reply reply;
  reply.mutable_hosts()->add_hosts()->set_name("alpha");
  const FakeDaemon daemon(reply);
  const Ran ran = run_command({"hosts"}, {.control = daemon.path(), .out_file = "/dev/full"});
  EXPECT_EQ(ran.status, 1);
  EXPECT_EQ(ran.err, "sockswap: cannot write to standard output (No space left on device)\n");
}

}  // namespace
}  // namespace sockswap::cli
