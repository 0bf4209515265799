// sockswapd has no rights, and does its work all the same; and what becomes of its keeper.
#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

#include "lab/fixture.h"

namespace sockswap::test {
namespace {

std::string text_of_file(const std::filesystem::path& file) {
  std::ostringstream text;
  text << std::ifstream(file).rdbuf();
  return std::move(text).str();
}

// The value of a line of /proc/PID/status, such as "CapEff".
std::string status_of(pid_t pid, const std::string& field) {
  std::istringstream lines(text_of_file(fmt::format("/proc/{}/status", pid)));
  for (std::string line; std::getline(lines, line);)
    if (line.starts_with(field + ":\t")) return line.substr(field.size() + 2);
  return "none";
}

// The host's processes of that name, as seen from outside.
std::vector<pid_t> processes_of(lab::Host& host, const std::string& name) {
  const auto here = std::filesystem::read_symlink(fmt::format("/proc/{}/ns/pid", host.init_pid()));
  std::vector<pid_t> found;
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    std::error_code gone;
    if (std::filesystem::read_symlink(entry.path() / "ns" / "pid", gone) != here) continue;
    const std::string command = text_of_file(entry.path() / "cmdline");
    const std::string program = command.substr(0, command.find('\0'));
    if (std::filesystem::path(program).filename() == name)
      found.push_back(static_cast<pid_t>(std::stol(entry.path().filename().string())));
  }
  return found;
}

class Privilege : public LabTest {
 protected:
  static pid_t daemon_of(const std::string& name) { return cluster().daemon(name).pid(); }
  static pid_t keeper_of(const std::string& name) {
    const auto keepers = processes_of(host(name), "sockswap-keeper");
    EXPECT_EQ(keepers.size(), 1U);
    return keepers.empty() ? 0 : keepers.front();
  }
  static void restart(const std::string& name) {
    ASSERT_TRUE(cluster().start_daemon(name));
    for (const char* other : {"alpha", "beta", "gamma"})
      if (name != other) wait_until_connected(name, other);
  }
  static void wait_until_connected(const std::string& from, const std::string& to) {
    for (int i = 0; i < 2000; ++i) {
      const Said said = sockswap(from, {"hosts"});
      for (const auto& one : said.json["hosts"])
        if (one["name"] == to && one["state"] == "connected") return;
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    FAIL() << from << " has no session with " << to;
  }
  static void move_there_and_back() {
    auto [stayer, moving] = connect("alpha", "beta", true, false, false, {.send = 2000, .receive = 2000});
    receive_ramp(moving, 0, 1000);
    moving = move(std::move(moving), "beta", "gamma");
    send_ramp(moving, 0, 2000);
    receive_ramp(moving, 1000, 1000);
    finish_writing(moving);
    expect_end(moving);
    EXPECT_EQ(stayer.verdict(2000, 2000), "");
  }
};

// Having become another user it is undumpable: that user's other processes can't trace it, nor read what it
// has.
TEST_F(Privilege, OthersOfItsUserCantLookIntoTheDaemon) {
  ASSERT_TRUE(status_of(daemon_of("beta"), "Uid").starts_with(std::to_string(nobody.uid) + "\t"));
  const auto succeeds = [](const std::string& script) {
    auto process = host("beta").spawn(
        {.argv = {"sh", "-c", script}, .out = lab::Stdio::pipe(), .err = lab::Stdio::pipe(), .user = nobody});
    return process.value().finish()->status.ok();
  };
  EXPECT_FALSE(succeeds("ls /proc/$(pgrep -x sockswapd)/fd"));
  EXPECT_FALSE(succeeds("head -c 1 /proc/$(pgrep -x sockswapd)/environ"));
  EXPECT_FALSE(succeeds("timeout 5 strace -o /dev/null -p $(pgrep -x sockswapd)"));
  EXPECT_TRUE(succeeds("sleep 10 & ls /proc/$!/fd && head -c 1 /proc/$!/environ && kill $!"))
      << "the control";
}

TEST_F(Privilege, TheDaemonHasNone) {
  for (const char* name : {"alpha", "beta", "gamma"}) {
    const pid_t pid = daemon_of(name);
    for (const char* set : {"CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"})
      EXPECT_EQ(status_of(pid, set), "0000000000000000") << set;
    EXPECT_EQ(status_of(pid, "NoNewPrivs"), "1");
#ifndef SOCKSWAP_SANITIZED
    EXPECT_EQ(status_of(pid, "Seccomp"), "2");
#endif
    EXPECT_EQ(status_of(pid, "Uid"), "65534\t65534\t65534\t65534");
    EXPECT_EQ(status_of(pid, "Gid"), "65534\t65534\t65534\t65534");
    EXPECT_EQ(status_of(keeper_of(name), "Uid"), "0\t0\t0\t0");
  }
  move_there_and_back();
}

TEST_F(Privilege, TheKeeperOutlivesAKilledDaemonAndServesTheNext) {
  const pid_t keeper = keeper_of("beta");
  ASSERT_TRUE(cluster().kill_daemon("beta"));
  EXPECT_EQ(keeper_of("beta"), keeper);
  restart("beta");
  EXPECT_EQ(keeper_of("beta"), keeper);
  move_there_and_back();
}

TEST_F(Privilege, TheKeeperEndsWithADaemonThatEndsInOrder) {
  ASSERT_EQ(processes_of(host("gamma"), "sockswap-keeper").size(), 1U);
  ASSERT_TRUE(cluster().daemon("gamma").kill(SIGTERM));
  const auto status = cluster().daemon("gamma").wait();
  ASSERT_TRUE(status);
  EXPECT_TRUE(status->ok()) << status->text();
  EXPECT_FALSE(host("gamma").inside([] { return std::filesystem::exists("/run/sockswap/control.sock"); }));
  for (int i = 0; i < 1000 && !processes_of(host("gamma"), "sockswap-keeper").empty(); ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  EXPECT_TRUE(processes_of(host("gamma"), "sockswap-keeper").empty());
  restart("gamma");
  move_there_and_back();
}

TEST_F(Privilege, TheDaemonEndsWhenItsKeeperDoes) {
  ::kill(keeper_of("gamma"), SIGKILL);
  const auto status = cluster().daemon("gamma").wait();
  ASSERT_TRUE(status);
  EXPECT_FALSE(status->ok());
  restart("gamma");
  move_there_and_back();
}

TEST_F(Privilege, ASecondDaemonIsTurnedAway) {
  auto second = host("alpha").run({SOCKSWAPD, "--config", "/etc/sockswap", "--run", "/run/sockswap"});
  ASSERT_TRUE(second);
  EXPECT_FALSE(second->status.ok());
  move_there_and_back();
}

TEST_F(Privilege, OnlyRootSettlesMoves) {
  move_there_and_back();
  const std::string id = sockswap("beta", {"moves"}).json["moves"].back()["move_id"];
  EXPECT_EQ(sockswap("beta", {"moves", "settle", id, "undone"}, nobody).status(), SOCKSWAP_NOT_PERMITTED);
  EXPECT_EQ(sockswap("beta", {"moves", "settle", id, "undone"}).status(), SOCKSWAP_NOT_FOUND)
      << "the control: it isn't in doubt";
}

// The file is nobody's but root's: it is the keeper that reads it.
TEST_F(Privilege, HostsTomlIsReadAgainWithoutRights) {
  const std::string before = host("alpha").inside([] { return text_of_file("/etc/sockswap/hosts.toml"); });
  ASSERT_TRUE(host("alpha").write_file("/etc/sockswap/hosts.toml",
                                       before + "\n[hosts.delta]\naddresses = [\"10.99.0.9\"]\n", 0600));
  const auto hosts = [] { return sockswap("alpha", {"hosts"}).json["hosts"].size(); };
  ASSERT_TRUE(cluster().daemon("alpha").kill(SIGHUP));
  for (int i = 0; i < 1000 && hosts() != 4; ++i) std::this_thread::sleep_for(std::chrono::milliseconds(10));
  EXPECT_EQ(hosts(), 4U);
  ASSERT_TRUE(host("alpha").write_file("/etc/sockswap/hosts.toml", before));
  ASSERT_TRUE(cluster().daemon("alpha").kill(SIGHUP));
  for (int i = 0; i < 1000 && hosts() != 3; ++i) std::this_thread::sleep_for(std::chrono::milliseconds(10));
  EXPECT_EQ(hosts(), 3U);
}

}  // namespace
}  // namespace sockswap::test
