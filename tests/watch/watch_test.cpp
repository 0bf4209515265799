// The negative control of tests/watch/watched. Each of these tests passes: nobody looks at how the program
// ended. CTest wants them to be failed for the report, though, and takes them for failed if they aren't.
#include <gtest/gtest.h>
#include <unistd.h>

#include "lab/lab.h"

namespace sockswap::test {
namespace {

class Report : public ::testing::TestWithParam<const char*> {};

TEST_P(Report, OfAProgramOnAHostIsSeen) {
  if (::geteuid() != 0) GTEST_SKIP() << "root is missing: a lab needs namespaces of its own";
  auto made = lab::Lab::create({.hosts = {{.name = "alpha"}}});
  ASSERT_TRUE(made) << made.error().text();
  auto program = made->host("alpha").spawn({.argv = {ERRING, GetParam()}, .user = lab::User{65534, 65534}});
  ASSERT_TRUE(program) << program.error().text();
  EXPECT_TRUE(program->wait());
}

#ifdef __SANITIZE_THREAD__
constexpr const char* reported[] = {"race", "abort"};
#else
constexpr const char* reported[] = {"use-after-free", "overflow", "leak", "abort"};
#endif
INSTANTIATE_TEST_SUITE_P(Watch, Report, ::testing::ValuesIn(reported));

}  // namespace
}  // namespace sockswap::test
