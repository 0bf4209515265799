// What a daemon that has gone wrong can fill the keeper with, and how long the daemon waits for it.
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <thread>

#include "fixture.h"

namespace sockswap::keeper {
namespace {

// One keeper here has more descriptors than a shell's default allows, and less than any hard limit.
void raise_limit_of_descriptors(rlim_t to) {
  rlimit limit{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &limit), 0);
  limit.rlim_cur = std::max(limit.rlim_cur, to);
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &limit), 0);
}

TEST(KeepersLimits, MovesOfOneRole) {
  constexpr std::uint32_t most = 4096;
  raise_limit_of_descriptors(2 * most);
  KeeperProcess keeper;
  keep::Client client = keeper.connect();
  const Endpoint here = Endpoint::parse("127.0.0.1:0").value(),
                 there = Endpoint::parse("127.0.0.1:80").value();
  const keep::Arriving arriving{.former = {there, there}, .family = AF_INET, .wanted = here, .remote = there};
  const auto id = [](std::uint32_t number) {
    move::MoveId out{};
    std::memcpy(out.octets.data(), &number, sizeof number);
    return out;
  };
  for (std::uint32_t i = 0; i < most; ++i) must(client.reserve(id(i), std::span(&arriving, 1)));
  EXPECT_EQ(code_of(client.reserve(id(most), std::span(&arriving, 1))), ErrorCode::no_resources);
  must(client.drop(id(0)));
  EXPECT_EQ(code_of(client.reserve(id(most), std::span(&arriving, 1))), ErrorCode::ok);
}

// The daemon doesn't wait for it for ever: it ends, by on_broken.
TEST(KeepersLimits, ItsAnswerIsAwaited5Seconds) {
  KeeperProcess keeper;
  keep::Client client = keeper.connect();
  int broken = 0;
  client.on_broken = [&](const Error&) { ++broken; };
  keeper.signal(SIGSTOP);
  const auto asked = std::chrono::steady_clock::now();
  const auto answer = client.inventory();
  EXPECT_GE(std::chrono::steady_clock::now() - asked, 5s);
  EXPECT_EQ(code_of(answer), ErrorCode::no_daemon);
  EXPECT_EQ(broken, 1);
  keeper.signal(SIGCONT);
  EXPECT_EQ(code_of(client.inventory()), ErrorCode::no_daemon) << "its late answer is nobody's";
  must(keeper.connect().inventory());
}

// The control: one that is slow, but not so slow, is waited for.
TEST(KeepersLimits, ASlowAnswerIsOne) {
  KeeperProcess keeper;
  keep::Client client = keeper.connect();
  client.on_broken = [](const Error& error) { FAIL() << error.text(); };
  keeper.signal(SIGSTOP);
  std::thread later([&] {
    std::this_thread::sleep_for(1s);
    keeper.signal(SIGCONT);
  });
  EXPECT_EQ(code_of(client.inventory()), ErrorCode::ok);
  later.join();
}

}  // namespace
}  // namespace sockswap::keeper
