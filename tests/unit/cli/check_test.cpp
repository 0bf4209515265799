#include <gtest/gtest.h>
#include <unistd.h>

#include "cli/output/text.h"
#include "run_command.h"

namespace sockswap::cli {
namespace {

bool sufficient(const Json& report) {
  for (const Json& feature : report["features"])
    if (feature["required"].get<bool>() && !feature["available"].get<bool>()) return false;
  return true;
}

TEST(Check, ItsStatusIsItsReport) {
  const Ran ran = run_command({"check", "--json"});
  const Json report = ran.json();
  ASSERT_FALSE(report["features"].empty());
  EXPECT_EQ(report["sufficient"], sufficient(report));
  EXPECT_EQ(ran.status, sufficient(report) ? 0 : 17);
  EXPECT_EQ(run_command({"check"}).status, ran.status);
}

// The control: repair mode needs CAP_NET_ADMIN, so for this user something required is missing.
TEST(Check, FailsWithoutRights) {
  const Ran ran = run_command({"check", "--json"}, {.unprivileged = true});
  if (ran.status == 127) GTEST_SKIP() << "another user can't run the command from this build folder";
  EXPECT_EQ(ran.status, 17);
  EXPECT_FALSE(ran.json()["sufficient"].get<bool>());
}

const TextOutput plain(TextOutput::Target::file, Painter::Colour::off);

TEST(Check, SaysWhatIsMissingAndWhatToDo) {
  const FeatureReport report{
      {{.name = "repair mode", .available = true, .required = true, .reason = "", .hint = ""},
       {.name = "pidfd_getfd",
        .available = false,
        .required = true,
        .reason = "Function not implemented",
        .hint = "Linux 5.6 or later has it"},
       {.name = "CRIU",
        .available = false,
        .required = false,
        .reason = "criu is not installed",
        .hint = ""}}};
  EXPECT_EQ(plain.render(report),
            "FEATURE               NEEDED\n"
            "repair mode  ok       yes\n"
            "pidfd_getfd  missing  yes\n"
            "    Function not implemented\n"
            "    hint: Linux 5.6 or later has it\n"
            "CRIU         missing  optional\n"
            "    criu is not installed\n"
            "This host can't move connections: 1 needed feature is missing.\n");
}

TEST(Check, WhatIsOptionalMayLack) {
  const FeatureReport report{
      {{.name = "CRIU", .available = false, .required = false, .reason = "", .hint = ""}}};
  EXPECT_TRUE(report.sufficient());
  EXPECT_NE(plain.render(report).find("This host can move connections."), std::string::npos);
}

}  // namespace
}  // namespace sockswap::cli
