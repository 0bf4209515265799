// A short soak, and whether the long one would see what it is there to see.
#include "soak/soak.h"

#include <gmock/gmock.h>
#include <unistd.h>

namespace sockswap::soak {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// A sanitizer keeps what has been freed: memory says nothing then.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool memory_counts = false;
#else
constexpr bool memory_counts = true;
#endif

std::vector<std::string> complaints(const Outcome& outcome) {
  std::vector<std::string> out = outcome.complaints;
  if (!memory_counts) std::erase_if(out, [](const auto& text) { return text.find("rss_kib") != text.npos; });
  return out;
}

const Programs programs{SOCKSWAPD, SOAK_WANDERER, SOAK_STILL};

class Soak : public ::testing::Test {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "root is missing: a lab needs namespaces of its own";
  }
};

TEST_F(Soak, OneEndGoesRoundThreeHosts) {
  const auto outcome = run(programs, {.moves = 300});
  ASSERT_TRUE(outcome) << outcome.error().text();
  EXPECT_THAT(complaints(*outcome), IsEmpty()) << outcome->figures.dump(1);
  EXPECT_GE(outcome->figures["moves"], 300);
}

TEST_F(Soak, BothEndsGoRoundThreeHosts) {
  const auto outcome = run(programs, {.moves = 300, .both_wander = true});
  ASSERT_TRUE(outcome) << outcome.error().text();
  EXPECT_THAT(complaints(*outcome), IsEmpty()) << outcome->figures.dump(1);
}

// What the moving end's programs lose at each hop is found on their hosts.
class Leak : public Soak, public ::testing::WithParamInterface<std::pair<const char*, const char*>> {};

TEST_P(Leak, IsSeen) {
  const auto& [leak, figure] = GetParam();
  const auto outcome = run(programs, {.moves = 60, .leak = leak});
  ASSERT_TRUE(outcome) << outcome.error().text();
  for (const char* host : {"alpha", "beta", "gamma"})
    EXPECT_THAT(outcome->complaints, Contains(AllOf(HasSubstr(host), HasSubstr(figure))));
}

INSTANTIATE_TEST_SUITE_P(Lab, Leak,
                         ::testing::Values(std::pair{"descriptor", "descriptors changed"},
                                           std::pair{"memory", "rss_kib rose"},
                                           std::pair{"thread", "threads changed"},
                                           std::pair{"file", ".files changed"},
                                           std::pair{"socket", ".sockets changed"}),
                         [](const auto& test) { return std::string(test.param.first); });

class Spoilt : public Soak, public ::testing::WithParamInterface<const char*> {};

TEST_P(Spoilt, NumberIsSeen) {
  const auto outcome = run(programs, {.moves = 60, .spoil = GetParam()});
  ASSERT_FALSE(outcome);
  EXPECT_THAT(outcome.error().text(), HasSubstr("is wrong"));
}

INSTANTIATE_TEST_SUITE_P(Lab, Spoilt, ::testing::Values("lost", "twice"),
                         [](const auto& test) { return std::string(test.param); });

}  // namespace
}  // namespace sockswap::soak
