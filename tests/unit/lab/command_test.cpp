// The sockswap-lab command, as a user meets it.
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "traffic.h"

namespace sockswap::lab::test {
namespace {

class LabCommand : public testing::Test {
 protected:
  LabCommand() : name_("test-" + std::to_string(::getpid())) {}
  ~LabCommand() override {
    // The owner goes to the background, so its end is this process's to notice.
    while (::waitpid(-1, nullptr, WNOHANG) > 0) {
    }
    ::prctl(PR_SET_CHILD_SUBREAPER, 0);
  }
  void SetUp() override {
    SKIP_WITHOUT_ROOT();
    ::prctl(PR_SET_CHILD_SUBREAPER, 1);
  }

  Output call(std::vector<std::string> words) {
    words.insert(words.begin(), SOCKSWAP_LAB_COMMAND);
    Command command{.argv = words};
    command.out = command.err = Stdio::pipe();
    auto process = Process::spawn(command);
    if (!process) return {.status = {.code = 255}, .out = {}, .err = process.error().text()};
    auto output = process->finish();
    return output ? *output : Output{.status = {.code = 255}, .out = {}, .err = output.error().text()};
  }
  Output enter(const std::string& host, const std::string& line) {
    return call({"enter", "--name", name_, host, "--", "sh", "-c", line});
  }
  nlohmann::json listed() {
    for (const auto& lab : nlohmann::json::parse(call({"ls", "--json"}).out))
      if (lab["name"] == name_) return lab;
    return {};
  }

  const std::string name_;
};

TEST_F(LabCommand, up_enter_ls_down) {
  const Output up = call({"up", "--name", name_, "--hosts", "alpha,beta", "--delay", "1ms"});
  ASSERT_TRUE(up.status.ok()) << up.err;
  EXPECT_NE(up.out.find("alpha"), std::string::npos);
  EXPECT_EQ(enter("alpha", "hostname; exit 7").status.code, 7);
  EXPECT_EQ(enter("alpha", "hostname").out, "alpha\n");
  EXPECT_TRUE(enter("alpha", "ping -c1 -W5 beta").status.ok());
  EXPECT_EQ(enter("alpha", "kill -TERM $$").status.code, 128 + SIGTERM);
  EXPECT_EQ(listed()["hosts"].size(), 2u);
  EXPECT_EQ(call({"up", "--name", name_}).status.code, static_cast<int>(ErrorCode::busy));
  EXPECT_EQ(enter("gamma", "true").status.code, static_cast<int>(ErrorCode::unknown_host));

  const pid_t init = listed()["hosts"][0]["init"]["pid"];
  EXPECT_TRUE(call({"down", "--name", name_, "--dry-run"}).status.ok());
  EXPECT_EQ(::kill(init, 0), 0);
  EXPECT_TRUE(call({"down", "--name", name_}).status.ok());
  EXPECT_EQ(::kill(init, 0), -1);
  EXPECT_TRUE(listed().is_null());
  EXPECT_EQ(call({"down", "--name", name_}).status.code, static_cast<int>(ErrorCode::not_found));
}

TEST_F(LabCommand, the_state_of_a_killed_owner_is_no_obstacle) {
  ASSERT_TRUE(call({"up", "--name", name_, "--hosts", "alpha"}).status.ok());
  const pid_t owner = listed()["owner"]["pid"];
  ASSERT_EQ(::kill(owner, SIGKILL), 0);
  ASSERT_EQ(::waitpid(owner, nullptr, 0), owner);
  EXPECT_FALSE(enter("alpha", "true").status.ok());
  EXPECT_TRUE(listed().is_null());
  ASSERT_TRUE(call({"up", "--name", name_, "--hosts", "alpha"}).status.ok());
  EXPECT_TRUE(call({"down", "--name", name_}).status.ok());
}

TEST_F(LabCommand, wrong_words_are_refused_with_a_hint) {
  const Output bad = call({"up", "--name", name_, "--delay", "10"});
  EXPECT_EQ(bad.status.code, static_cast<int>(ErrorCode::usage));
  EXPECT_NE(bad.err.find("hint: "), std::string::npos) << bad.err;
  EXPECT_EQ(call({"sideways"}).status.code, static_cast<int>(ErrorCode::usage));
  EXPECT_TRUE(call({"up", "--name", name_, "--dry-run"}).status.ok());
  EXPECT_TRUE(listed().is_null());
}

TEST_F(LabCommand, without_root_it_says_so_in_one_line) {
  Command command{.argv = {SOCKSWAP_LAB_COMMAND, "up", "--foreground"}};
  command.user = User{65534, 65534};
  command.err = Stdio::pipe();
  ASSERT_VALUE(Process process, Process::spawn(command));
  ASSERT_VALUE(Output output, process.finish());
  EXPECT_EQ(output.status.code, static_cast<int>(ErrorCode::not_permitted));
  EXPECT_EQ(output.err.find("sockswap-lab: a lab needs root"), 0u) << output.err;
}

}  // namespace
}  // namespace sockswap::lab::test
