// What a host shares with the machine and what not.
#include "lab/host.h"

#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "traffic.h"

namespace sockswap::lab::test {
namespace {

class OneHost : public testing::Test {
 protected:
  void SetUp() override {
    SKIP_WITHOUT_ROOT();
    auto made = Lab::create(hosts_named({"alpha", "beta"}));
    ASSERT_TRUE(made) << made.error().text();
    lab_.emplace(std::move(*made));
  }
  Host& alpha() { return lab_->host("alpha"); }
  std::string shell(Host& host, const std::string& line) {
    auto output = host.run({"sh", "-c", line});
    return output ? output->out + output->err : output.error().text();
  }

  std::optional<Lab> lab_;
};

TEST_F(OneHost, has_its_own_pids) {
  ASSERT_VALUE(Process here, alpha().spawn({.argv = {"sleep", "1000"}}));
  EXPECT_EQ(shell(alpha(), "cat /proc/1/comm"), "lab-init\n");
  EXPECT_EQ(shell(alpha(), "ls -d /proc/" + std::to_string(getpid()) + " 2>/dev/null"), "");
  EXPECT_EQ(shell(alpha(), "pidof sleep | wc -w"), "1\n");
  EXPECT_EQ(shell(lab_->host("beta"), "pidof sleep | wc -w"), "0\n");
}

// An unreaped process keeps its PID: CRIU could not bring a program back under it.
TEST_F(OneHost, init_reaps_orphans) {
  ASSERT_VALUE(Output orphan, alpha().run({"sh", "-c", "sleep 0.05 >/dev/null 2>&1 & echo $!"}));
  const std::string path = "/proc/" + orphan.out.substr(0, orphan.out.find('\n'));
  bool there = true;
  for (int i = 0; i < 1000 && there; ++i) {
    ::usleep(10'000);
    there = alpha().inside([&] { return std::filesystem::exists(path); });
  }
  EXPECT_FALSE(there);
}

TEST_F(OneHost, has_its_own_name) {
  EXPECT_EQ(shell(alpha(), "hostname; cat /etc/hostname"), "alpha\nalpha\n");
  std::array<char, 64> ours{};
  ASSERT_EQ(::gethostname(ours.data(), ours.size()), 0);
  EXPECT_STRNE(ours.data(), "alpha");
}

TEST_F(OneHost, keeps_its_files_to_itself) {
  ASSERT_DONE(alpha().write_file("/etc/sockswap/key.pem", "secret", 0600));
  ASSERT_DONE(alpha().write_file("/run/sockswap/note", "text"));
  EXPECT_EQ(shell(alpha(), "cat /etc/sockswap/key.pem; stat -c %a /etc/sockswap/key.pem"), "secret600\n");
  EXPECT_EQ(shell(alpha(), "cat /run/sockswap/note"), "text");
  EXPECT_EQ(shell(lab_->host("beta"), "ls /etc/sockswap /run/sockswap | grep -e key -e note"), "");
  EXPECT_FALSE(std::filesystem::exists("/etc/sockswap/key.pem"));
  EXPECT_FALSE(std::filesystem::exists("/run/sockswap/note"));
}

TEST_F(OneHost, refuses_to_write_to_the_machine) {
  for (const char* path : {"/tmp/sockswap-lab-trace", "/etc/../tmp/sockswap-lab-trace", "relative"}) {
    EXPECT_FALSE(alpha().write_file(path, "x")) << path;
  }
  EXPECT_FALSE(std::filesystem::exists("/tmp/sockswap-lab-trace"));
}

TEST_F(OneHost, mounts_nothing_on_the_machine) {
  std::ifstream mounts("/proc/self/mounts");
  const std::string text(std::istreambuf_iterator<char>(mounts), {});
  EXPECT_EQ(text.find("lab /"), std::string::npos) << text;
}

TEST_F(OneHost, runs_unprivileged_programs) {
  Command command{.argv = {"sh", "-c", "id -u; id -g; id -G; cat /proc/self/status | grep CapEff"}};
  command.user = User{65534, 65534};
  command.out = Stdio::pipe();
  ASSERT_VALUE(Process process, alpha().spawn(command));
  ASSERT_VALUE(Output output, process.finish());
  EXPECT_EQ(output.out, "65534\n65534\n65534\nCapEff:\t0000000000000000\n");
}

TEST_F(OneHost, a_daemon_that_ends_at_once_is_an_error_with_its_words) {
  const auto daemon = alpha().start_daemon("/bin/ls");
  ASSERT_FALSE(daemon);
  EXPECT_EQ(daemon.error().code, ErrorCode::no_daemon);
  EXPECT_NE(daemon.error().hint.find("--config"), std::string::npos) << daemon.error().hint;
}

TEST_F(OneHost, a_daemon_is_ready_when_its_control_socket_accepts) {
  // Stands in for sockswapd: ignores its arguments and listens a little later.
  ASSERT_DONE(alpha().write_file("/etc/sockswap/daemon",
                                 "#!/bin/sh\nsleep 0.1\n"
                                 "exec socat UNIX-LISTEN:/run/sockswap/control.sock,fork,type=5 EXEC:cat\n",
                                 0755));
  ASSERT_VALUE(Process daemon, alpha().start_daemon("/etc/sockswap/daemon"));
  EXPECT_TRUE(daemon.running());
}

}  // namespace
}  // namespace sockswap::lab::test
