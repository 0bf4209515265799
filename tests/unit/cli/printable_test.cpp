#include "cli/output/printable.h"

#include <gtest/gtest.h>

namespace sockswap::cli {
namespace {

TEST(Printable, LetsTextThrough) { EXPECT_EQ(printable("nginx: wörker €𝄞"), "nginx: wörker €𝄞"); }

TEST(Printable, MakesEverythingElseHarmless) {
  EXPECT_EQ(printable("a\x1b[2Jb"), "a?[2Jb");
  EXPECT_EQ(printable("a\nb\tc\x7f"), "a?b?c?");
  EXPECT_EQ(printable("a\u009b31mb"), "a?31mb") << "CSI as a single C1 character";
  EXPECT_EQ(printable("a\u202eb"), "a?b") << "right-to-left override";
  EXPECT_EQ(printable(std::string_view("a\0b", 3)), "a?b");
}

TEST(Printable, BrokenUtf8) {
  EXPECT_EQ(printable("\xff"), "?");
  EXPECT_EQ(printable("\xc3"), "?") << "cut";
  EXPECT_EQ(printable("\xc3("), "?(");
  EXPECT_EQ(printable("\xc0\xaf"), "??") << "overlong";
  EXPECT_EQ(printable("\xe0\x80\x9b"), "???") << "an overlong control character";
  EXPECT_EQ(printable("\xed\xa0\x80"), "???") << "a surrogate";
  EXPECT_EQ(printable("\xf4\x90\x80\x80"), "????") << "beyond Unicode";
}

TEST(Shortened, CutsBetweenCharacters) {
  EXPECT_EQ(shortened("αβγδ", 4), "αβγδ");
  EXPECT_EQ(shortened("αβγδε", 4), "αβγ…");
  EXPECT_EQ(shortened("ab", 1), "…");
}

TEST(Wrapped, BreaksAtBlanks) {
  EXPECT_EQ(wrapped("one two three", 7), (std::vector<std::string>{"one two", "three"}));
  EXPECT_EQ(wrapped("a  incomprehensibly b", 5), (std::vector<std::string>{"a", "incomprehensibly", "b"}));
  EXPECT_TRUE(wrapped("", 5).empty());
}

TEST(Duration, HasAFittingUnit) {
  EXPECT_EQ(duration(0), "0 µs");
  EXPECT_EQ(duration(85.4), "85 µs");
  EXPECT_EQ(duration(1620), "1.62 ms");
  EXPECT_EQ(duration(2'310'000), "2.31 s");
}

}  // namespace
}  // namespace sockswap::cli
