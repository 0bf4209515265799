// The demonstration as a command: what it says, and that its exit status tells when something doesn't hold.
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "lab/process.h"
#include "lab/scratch.h"

namespace sockswap::test {
namespace {

using Json = nlohmann::json;

// Slow enough that each quarter of the file takes much longer than a move, and the calls of the command line
// that go with it.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr const char* kRate = "40mbit";
// By which the command that moved an end has ended, and its packets are counted.
#define MOVED "4"
#else
constexpr const char* kRate = "200mbit";
#define MOVED "0.2"
#endif
constexpr int kMegabytes = 80;

struct Asked {
  int megabytes = kMegabytes;
  const char* rate = kRate;
  const char* kernel = "shared";
};

// Not to be const: a missing member is null then, while a const Json would abort the test.
struct Said {
  lab::ExitStatus status;
  Json json;  // null if it wasn't JSON
  std::string progress;
};

class Demo : public ::testing::Test {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "root is missing: a lab needs namespaces of its own";
  }

  // With this script as the receiver, in which $RECEIVER is the real one.
  static Said demo(const std::string& receiver, const Asked& asked = {}) {
    const auto folder = lab::Scratch::make("sockswap-demo-test").value();
    ::chmod(folder.path().c_str(), 0755);
    const std::filesystem::path script = folder.path() / "sockswap-receiver";
    std::filesystem::create_symlink(SOCKSWAPD, folder.path() / "sockswapd");
    std::filesystem::create_symlink(SOCKSWAP, folder.path() / "sockswap");
    std::ofstream(script) << "#!/bin/bash\nRECEIVER=" RECEIVER "\n" << receiver << "\n";
    ::chmod(script.c_str(), 0755);
    auto command =
        lab::Process::spawn({.argv = {SOCKSWAP, "demo", "--size", std::to_string(asked.megabytes), "--rate",
                                      asked.rate, "--kernel", asked.kernel, "--program", "socat", "--charts",
                                      folder.path(), "--programs", folder.path(), "--json"},
                             .out = lab::Stdio::pipe(),
                             .err = lab::Stdio::pipe()});
    const lab::Output output = command.value().finish(std::chrono::seconds(300)).value();
    EXPECT_FALSE(output.err.empty()) << "live progress";
    Json json = Json::parse(output.out, nullptr, false);
    if (json.is_discarded()) json = nullptr;
    return {output.status, std::move(json), output.err};
  }
};

constexpr const char* kReal = "exec $RECEIVER \"$@\"";

void expect_holds(Said& said) {
  EXPECT_TRUE(said.status.ok()) << said.json << said.progress;
  EXPECT_EQ(said.json["holds"], true) << said.json;
  EXPECT_EQ(said.json["bytes"], kMegabytes * 1'000'000);
  EXPECT_EQ(said.json["sha256_sent"], said.json["sha256_received"]);
  EXPECT_EQ(said.json["packets_at_former_host"], 0);
  EXPECT_EQ(said.json["rst"], 0);
  ASSERT_EQ(said.json["moves"].size(), 3u);
  for (const Json& move : said.json["moves"]) EXPECT_GT(move["pause_ms"], 0);
}

TEST_F(Demo, Holds) {
  Said said = demo(kReal);
  expect_holds(said);
}

// From the machine's kernel to another one, back, and there again: another version, another window of its
// own, other ticks of its clock.
TEST_F(Demo, HoldsBetweenDifferentKernels) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "the sanitizer's shadow has no room in User Mode Linux";
#endif
  Said said = demo(kReal, {.rate = "20mbit", .kernel = "mixed"});
  expect_holds(said);
}

TEST_F(Demo, FailsIfOtherBytesArrived) {
  // The demo ends what it started: sed, so that nobody is left who has its output.
  Said said = demo(R"(exec sed -u 's/"sha256":"./"sha256":"x/' < <($RECEIVER "$@"))");
  EXPECT_EQ(said.status.code, 1) << said.json;
  EXPECT_EQ(said.json["holds"], false);
  EXPECT_NE(said.json["sha256_sent"], said.json["sha256_received"]);
}

// A port of alpha's where nobody listens: its kernel answers with a reset, which is seen on the wire.
TEST_F(Demo, FailsIfAResetIsSeen) {
  Said said = demo("nc -z -w 5 alpha 9\nexec $RECEIVER \"$@\"");
  EXPECT_EQ(said.status.code, 1) << said.json;
  EXPECT_EQ(said.json["holds"], false);
  EXPECT_GT(said.json["rst"], 0);
  EXPECT_EQ(said.json["sha256_sent"], said.json["sha256_received"]);
}

// When beta has given the end away for good, it speaks to the sender once more from the same port as the end
// had. Which one that is, is read as it arrives: when the hand-over is asked for, ss may come too late.
TEST_F(Demo, FailsIfAPacketIsSeenAtTheFormerHost) {
  Said said =
      demo(R"sh(
[ "$(hostname)" = beta ] || exec $RECEIVER "$@"
exec 3< <(exec $RECEIVER "$@")
receiver=$! away=0
while IFS= read -r line <&3; do
  printf '%s\n' "$line"
  case $line in
    *'"arrival"'*)
      read -r _ _ mine sender < <(ss -Htn state established 'dst 10.133.0.1 and sport != :7337 and dport != :7337') ;;
    *'"handed-over"'*)
      away=$((away + 1))
      [ $away = 2 ] && kill $receiver && sleep )sh" MOVED
           R"sh( && nc -n -z -w 1 -p ${mine##*:} 10.133.0.1 ${sender##*:} ;;
  esac
done)sh",
           {.megabytes = 200});  // two seconds are left after the last move, on the slowest of machines
  EXPECT_EQ(said.status.code, 1) << said.json;
  EXPECT_EQ(said.json["holds"], false);
  EXPECT_GT(said.json["packets_at_former_host"], 0) << said.json;
  EXPECT_EQ(said.json["sha256_sent"], said.json["sha256_received"]);
}

}  // namespace
}  // namespace sockswap::test
