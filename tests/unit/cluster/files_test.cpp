#include "cluster/files.h"

#include <sys/stat.h>

#include "scratch.h"

namespace sockswap::cluster {
namespace {

TEST(Files, AreWrittenWhole) {
  const Scratch scratch;
  const auto file = scratch.path() / "f";
  ASSERT_TRUE(write_file(file, "one", public_mode, Existing::refuse));
  EXPECT_EQ(read_file(file).value(), "one");
  EXPECT_FALSE(write_file(file, "two", public_mode, Existing::refuse));
  EXPECT_EQ(read_file(file).value(), "one");
  ASSERT_TRUE(write_file(file, "three", secret_mode, Existing::replace));
  EXPECT_EQ(read_file(file).value(), "three");
  struct stat status {};
  ASSERT_EQ(::stat(file.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777u, 0600u);
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(scratch.path()), {}), 1);
}

TEST(Files, ThatCantBeWrittenSayWhy) {
  const auto written = write_file("/proc/none/f", "x", public_mode, Existing::replace);
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().sys_errno, ENOENT);
}

TEST(Files, BeyondAnySenseAreNotRead) {
  const Scratch scratch;
  const auto file = scratch.path() / "f";
  ASSERT_TRUE(write_file(file, std::string((1 << 20) + 1, 'x'), public_mode, Existing::refuse));
  EXPECT_EQ(read_file(file).error().code, ErrorCode::too_large);
}

TEST(Files, ArePublishedOverNothing) {
  const Scratch scratch;
  ASSERT_TRUE(write_file(scratch.path() / "a", "a", public_mode, Existing::refuse));
  ASSERT_TRUE(write_file(scratch.path() / "b", "b", public_mode, Existing::refuse));
  EXPECT_EQ(publish(scratch.path() / "a", scratch.path() / "b").error().code, ErrorCode::usage);
  EXPECT_EQ(read_file(scratch.path() / "b").value(), "b");
  EXPECT_TRUE(publish(scratch.path() / "a", scratch.path() / "c"));
}

}  // namespace
}  // namespace sockswap::cluster
