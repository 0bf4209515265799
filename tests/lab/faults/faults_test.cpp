// A sample of the table of faults, another in each run; and whether a fault that isn't survived would be
// seen.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <unistd.h>

#include <cstdlib>
#include <random>
#include <set>

#include "known.h"
#include "lab/process.h"
#include "table.h"
#include "trial.h"

namespace sockswap::faults {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using namespace std::chrono_literals;

constexpr std::size_t sampled = 12;

void skip_without_root() {
  if (::geteuid() != 0) GTEST_SKIP() << "root is missing: a lab needs namespaces of its own";
}

TEST(FaultTable, HasEachInstantWithEachFault) {
  std::set<std::string> names;
  for (const Case& what : table()) names.insert(what.name());
  EXPECT_EQ(names.size(), table().size());
  for (const Instant& at : instants())
    for (const Deed deed : {Deed::kill, Deed::power, Deed::cut, Deed::cut_in, Deed::cut_out})
      for (const char* host : roles) EXPECT_THAT(names, Contains((Case{at, {deed, host}}.name())));
}

TEST(FaultTable, FindsItsCasesByName) {
  for (const Case& what : table()) {
    const auto found = find(what.name());
    ASSERT_TRUE(found) << what.name();
    EXPECT_EQ(found->name(), what.name());
  }
  EXPECT_FALSE(find("peer:held/kill-nobody"));
}

TEST(FaultTable, SamplesTheSameForTheSameSeed) {
  const auto names = [](std::uint64_t seed) {
    std::vector<std::string> out;
    for (const Case& what : sample(seed, sampled)) out.push_back(what.name());
    return out;
  };
  EXPECT_EQ(names(7), names(7));
  EXPECT_NE(names(7), names(8));
  const auto chosen = names(7);
  EXPECT_EQ((std::set<std::string>{chosen.begin(), chosen.end()}.size()), sampled);
}

TEST(FaultTable, KnowsOnlyFailuresOfItsCases) {
  for (const auto& [name, why] : known_failures()) {
    EXPECT_TRUE(find(name)) << name;
    EXPECT_FALSE(why.empty()) << name;
  }
}

TEST(Faults, ASampleHolds) {
  skip_without_root();
  if (IsSkipped()) return;
  const char* given = std::getenv("SOCKSWAP_SEED");
  const std::string seed = given != nullptr ? given : std::to_string(std::random_device{}());
  auto runner = lab::Process::spawn(
      {.argv = {FAULTS, "--sample", std::to_string(sampled), "--seed", seed, "--jobs", "3"}});
  ASSERT_TRUE(runner) << runner.error().text();
  const auto status = runner->wait(std::chrono::minutes(10));
  ASSERT_TRUE(status) << status.error().text();
  EXPECT_TRUE(status->ok()) << "SOCKSWAP_SEED=" << seed << " repeats it";
}

// The negative control: until another keeper is there, what one that was killed has left is still there.
TEST(Faults, WhatAKilledKeeperLeavesIsSeen) {
  skip_without_root();
  if (IsSkipped()) return;
  const Programs programs{SOCKSWAPD, SOCKSWAP, FAULT_END, SOAK_STILL};
  const auto what = find("origin:frozen/kill-both-origin");
  ASSERT_TRUE(what);
  const auto outcome = run(programs, *what, {.settles = 2s, .errs = 1s, .ends = 1s, .mends = false});
  ASSERT_TRUE(outcome) << outcome.error().text();
  ASSERT_TRUE(outcome->reached);
  EXPECT_THAT(outcome->complaints, Contains(HasSubstr("is in repair mode")));
  EXPECT_THAT(outcome->complaints, Contains(HasSubstr("has a filter")));
}

}  // namespace
}  // namespace sockswap::faults
