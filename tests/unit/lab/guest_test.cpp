// A host with a kernel of its own is a host like any other.
#include <signal.h>
#include <sys/utsname.h>

#include "traffic.h"

namespace sockswap::lab::test {
namespace {

using namespace std::chrono_literals;

#ifdef SOCKSWAP_SANITIZED
constexpr const char* unfit = "the sanitizer's shadow has no room in User Mode Linux";
#else
constexpr const char* unfit = nullptr;
#endif
#define SKIP_WITHOUT_GUESTS() \
  SKIP_WITHOUT_ROOT();        \
  if (unfit != nullptr) GTEST_SKIP() << unfit

// A guest, and a host on the machine's kernel; they take seconds to make, and the tests share them.
class AGuest : public testing::Test {
 protected:
  void SetUp() override {
    SKIP_WITHOUT_GUESTS();
    if (lab_) return;
    LabOptions options = hosts_named({"alpha", "beta"});
    options.hosts[0].guest.emplace(GuestOptions{.agent = SOCKSWAP_LAB_GUEST});
    auto made = Lab::create(options);
    ASSERT_TRUE(made) << made.error().text() << "\n" << made.error().hint;
    lab_.emplace(std::move(*made));
  }
  static void TearDownTestSuite() { lab_.reset(); }
  static Host& alpha() { return lab_->host("alpha"); }
  static Host& beta() { return lab_->host("beta"); }
  static std::string shell(Host& host, const std::string& line) {
    auto output = host.run({"sh", "-c", line});
    return output ? output->out + output->err : output.error().text();
  }

  static std::optional<Lab> lab_;
};
std::optional<Lab> AGuest::lab_;

TEST_F(AGuest, HasAKernelOfItsOwn) {
  utsname machines{};
  ASSERT_EQ(::uname(&machines), 0);
  EXPECT_EQ(shell(beta(), "uname -r"), std::string(machines.release) + "\n");
  EXPECT_NE(shell(alpha(), "uname -r"), std::string(machines.release) + "\n");
  EXPECT_EQ(shell(alpha(), "hostname; cat /proc/1/comm"), "alpha\nsockswap-lab-gu\n");
}

TEST_F(AGuest, RunsProgramsAsAHostDoes) {
  ASSERT_VALUE(Process cat, alpha().spawn({.argv = {"cat"}, .in = Stdio::pipe(), .out = Stdio::pipe()}));
  ASSERT_DONE(cat.write("one\ntwo"));
  ASSERT_VALUE(const auto line, cat.read_line());
  EXPECT_EQ(line, "one");
  ASSERT_VALUE(const Output output, cat.finish());
  EXPECT_EQ(output.out, "two");
  EXPECT_TRUE(output.status.ok()) << output.status.text();

  EXPECT_EQ(alpha().run({"sh", "-c", "exit 3"})->status, (ExitStatus{.code = 3}));
  EXPECT_EQ(alpha().run({"sh", "-c", "echo said >&2; kill -9 $$"})->status, (ExitStatus{.signal = 9}));
  EXPECT_EQ(alpha().spawn({.argv = {"no-such-program"}}).error().code, ErrorCode::not_found);
  ASSERT_VALUE(Process id, alpha().spawn({.argv = {"sh", "-c", "id -u; pwd; echo $WHAT"},
                                          .env = {"WHAT=that"},
                                          .out = Stdio::pipe(),
                                          .user = User{65534, 65534},
                                          .cwd = "/usr"}));
  EXPECT_EQ(id.finish()->out, "65534\n/usr\nthat\n");
}

TEST_F(AGuest, EndsItsProgramsWithTheirCallers) {
  {
    ASSERT_VALUE(Process sleeps, alpha().spawn({.argv = {"sleep", "1000"}}));
    EXPECT_TRUE(sleeps.running());
    EXPECT_EQ(shell(alpha(), "pidof sleep | wc -w"), "1\n");
    ASSERT_DONE(sleeps.kill(SIGTERM));
    ASSERT_VALUE(const ExitStatus status, sleeps.wait());
    EXPECT_EQ(status, (ExitStatus{.signal = SIGTERM}));
  }
  { ASSERT_VALUE(const Process sleeps, alpha().spawn({.argv = {"sleep", "1000"}})); }
  std::string left = "1\n";
  for (int i = 0; i < 200 && left != "0\n"; ++i) left = shell(alpha(), "pidof sleep | wc -w");
  EXPECT_EQ(left, "0\n");
}

TEST_F(AGuest, KeepsItsFilesToItself) {
  for (const char* path : {"/etc/sockswap/key.pem", "/run/sockswap/some/file"}) {
    ASSERT_DONE(alpha().write_file(path, "secret", 0600));
    EXPECT_EQ(shell(alpha(), "stat -c '%a %u' " + std::string(path) + "; cat " + path), "600 0\nsecret")
        << path;
    EXPECT_FALSE(std::filesystem::exists(path)) << path;
    EXPECT_EQ(shell(beta(), "cat " + std::string(path) + " 2>/dev/null"), "") << path;
  }
}

TEST_F(AGuest, TalksToTheOthersAtItsAddresses) {
  EXPECT_EQ(shell(alpha(), "ping -c 1 -q beta | grep -c ' 0% packet loss'"), "1\n");
  EXPECT_EQ(shell(beta(), "ping -c 1 -q alpha | grep -c ' 0% packet loss'"), "1\n");
  EXPECT_EQ(shell(beta(), "ping -6 -c 1 -q " + alpha().v6().text() + " | grep -c ' 0% packet loss'"), "1\n");
}

TEST_F(AGuest, HasACableThatCanBeCut) {
  ASSERT_VALUE(const InterfaceCounters before, alpha().interface_counters());
  ASSERT_DONE(alpha().cut());
  EXPECT_EQ(shell(beta(), "ping -c 1 -W 1 -q alpha | grep -c ' 100% packet loss'"), "1\n");
  EXPECT_EQ(shell(alpha(), "echo still called"), "still called\n");
  ASSERT_DONE(alpha().heal());
  EXPECT_EQ(shell(beta(), "ping -c 1 -q alpha | grep -c ' 0% packet loss'"), "1\n");
  ASSERT_VALUE(const InterfaceCounters after, alpha().interface_counters());
  EXPECT_GT(after.rx_packets, before.rx_packets);
}

TEST_F(AGuest, HasAClockThatCanBeRead) {
  EXPECT_EQ(beta().clock_ahead(), 0ns);
  const auto before = std::chrono::steady_clock::now().time_since_epoch();
  ASSERT_VALUE(const Output uptime, alpha().run({"cat", "/proc/uptime"}));
  const auto after = std::chrono::steady_clock::now().time_since_epoch();
  const std::chrono::duration<double> theirs(std::stod(uptime.out));
  EXPECT_GE(theirs - alpha().clock_ahead(), before - 20ms);
  EXPECT_LE(theirs - alpha().clock_ahead(), after + 20ms);
}

TEST_F(AGuest, ComesBackWithItsAddressesAndFiles) {
  ASSERT_DONE(alpha().write_file("/etc/sockswap/kept", "kept"));
  ASSERT_DONE(alpha().write_file("/run/lost", "lost"));
  ASSERT_DONE(alpha().power_off());
  EXPECT_EQ(shell(beta(), "ping -c 1 -W 1 -q alpha | grep -c ' 100% packet loss'"), "1\n");
  ASSERT_DONE(alpha().power_on());
  EXPECT_EQ(shell(alpha(), "cat /etc/sockswap/kept /run/lost 2>/dev/null"), "kept");
  EXPECT_EQ(shell(beta(), "ping -c 1 -q alpha | grep -c ' 0% packet loss'"), "1\n");
}

TEST(AGuestsKernel, IsNamedIfItIsMissing) {
  SKIP_WITHOUT_GUESTS();
  LabOptions options = hosts_named({"alpha"});
  options.hosts[0].guest.emplace(
      GuestOptions{.agent = SOCKSWAP_LAB_GUEST, .kernel = "/usr/bin/no-such-linux"});
  const auto made = Lab::create(options);
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().code, ErrorCode::unsupported);
  EXPECT_EQ(made.error().hint, "apt-get install user-mode-linux");
}

TEST(AGuestsKernel, SaysWhyItDoesntBoot) {
  SKIP_WITHOUT_GUESTS();
  LabOptions options = hosts_named({"alpha"});
  options.hosts[0].guest.emplace(GuestOptions{.agent = "/bin/false"});
  const auto made = Lab::create(options);
  ASSERT_FALSE(made);
  EXPECT_NE(made.error().text().find("a guest's kernel ended while it booted"), std::string::npos)
      << made.error().text();
  EXPECT_NE(made.error().hint.find("Attempted to kill init"), std::string::npos) << made.error().hint;
}

}  // namespace
}  // namespace sockswap::lab::test
