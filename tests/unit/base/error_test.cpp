#include "base/error.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <set>

#include "base/result.h"

namespace sockswap {
namespace {

TEST(Error, SaysWhatWasBeingDoneAndWhatTheSystemSaid) {
  Error error = system_error(ENOENT, "open it", ErrorCode::not_found);
  error = std::move(error).while_doing("start");
  EXPECT_EQ(error.text(), "start: open it (No such file or directory)");
  EXPECT_EQ((Error{ErrorCode::usage, "no system call", "", 0}.text()), "no system call");
}

TEST(Error, EveryCodeHasANameOfItsOwn) {
  std::set<std::string_view> names;
  for (int code = 0; code <= static_cast<int>(ErrorCode::lost); ++code)
    EXPECT_TRUE(names.insert(name(static_cast<ErrorCode>(code))).second) << code;
  EXPECT_FALSE(names.contains("unknown-error"));
  EXPECT_EQ(name(static_cast<ErrorCode>(200)), "unknown-error");
}

Result<int> half(int number) {
  if (number % 2 != 0) return failure(ErrorCode::usage, "odd", "give an even one");
  return number / 2;
}
Result<int> quarter(int number) {
  SOCKSWAP_TRY(const int halved, half(number));
  SOCKSWAP_CHECK(half(halved));
  return half(halved);
}

TEST(Result, HandsErrorsOnAsTheyAre) {
  EXPECT_EQ(quarter(8).value(), 2);
  const auto odd = quarter(6);
  ASSERT_FALSE(odd);
  EXPECT_EQ(odd.error().code, ErrorCode::usage);
  EXPECT_EQ(odd.error().hint, "give an even one");
}

}  // namespace
}  // namespace sockswap
