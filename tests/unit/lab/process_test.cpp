#include "lab/process.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include "traffic.h"

namespace sockswap::lab::test {
namespace {

using namespace std::chrono_literals;

Command piped(std::vector<std::string> argv) {
  Command command{.argv = std::move(argv)};
  command.in = command.out = command.err = Stdio::pipe();
  return command;
}

TEST(Process, talks_over_its_pipes) {
  ASSERT_VALUE(Process cat, Process::spawn(piped({"cat"})));
  ASSERT_DONE(cat.write("one\ntwo\nrest"));
  EXPECT_EQ(**cat.read_line(), "one");
  EXPECT_EQ(**cat.read_line(), "two");
  EXPECT_FALSE(cat.read_line(20ms)) << "half a line";
  cat.close_input();
  EXPECT_EQ(**cat.read_line(), "rest");
  EXPECT_EQ(*cat.read_line(), std::nullopt);
  EXPECT_TRUE(cat.wait()->ok());
}

TEST(Process, tells_how_it_ended) {
  ASSERT_VALUE(Process failing, Process::spawn(piped({"sh", "-c", "echo no >&2; exit 3"})));
  ASSERT_VALUE(Output output, failing.finish());
  EXPECT_EQ(output.status, (ExitStatus{.code = 3}));
  EXPECT_EQ(output.err, "no\n");
  ASSERT_VALUE(Process killed, Process::spawn(piped({"sleep", "1000"})));
  EXPECT_TRUE(killed.running());
  EXPECT_FALSE(killed.wait(10ms));
  ASSERT_DONE(killed.kill(SIGTERM));
  EXPECT_EQ(*killed.wait(), (ExitStatus{.code = 0, .signal = SIGTERM}));
  EXPECT_FALSE(killed.running());
}

TEST(Process, what_cannot_be_started_is_an_error_at_once) {
  const auto missing = Process::spawn(piped({"no-such-program"}));
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, ErrorCode::not_found);
  EXPECT_FALSE(Process::spawn(piped({})));
}

TEST(Process, inherits_no_descriptor_but_the_three) {
  const Fd leak(::open("/dev/null", O_RDONLY));  // without CLOEXEC
  ASSERT_VALUE(Process list, Process::spawn(piped({"ls", "/proc/self/fd"})));
  EXPECT_EQ(*list.read_all(), "0\n1\n2\n3\n") << "3 is the folder that ls itself reads";
}

TEST(Process, a_write_to_one_that_has_gone_is_an_error_and_no_signal) {
  ASSERT_VALUE(Process gone, Process::spawn(piped({"true"})));
  ASSERT_TRUE(gone.wait());
  EXPECT_FALSE(gone.write("x"));
}

TEST(Process, ends_with_its_object) {
  pid_t pid = 0;
  {
    ASSERT_VALUE(Process process, Process::spawn(piped({"sleep", "1000"})));
    pid = process.pid();
  }
  EXPECT_EQ(::kill(pid, 0), -1);
}

TEST(Process, gets_its_environment_and_default_signals) {
  ::signal(SIGUSR1, SIG_IGN);
  Command command = piped({"sh", "-c", "echo $SOCKSWAP_TEST $HOME; kill -USR1 $$; sleep 1"});
  command.env = {"SOCKSWAP_TEST=seen", "HOME=/nowhere"};
  ASSERT_VALUE(Process process, Process::spawn(command));
  ASSERT_VALUE(Output output, process.finish());
  ::signal(SIGUSR1, SIG_DFL);
  EXPECT_EQ(output.out, "seen /nowhere\n");
  EXPECT_EQ(output.status.signal, SIGUSR1);
}

}  // namespace
}  // namespace sockswap::lab::test
