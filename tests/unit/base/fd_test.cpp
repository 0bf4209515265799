#include "base/fd.h"

#include <fcntl.h>
#include <gtest/gtest.h>

#include <utility>

namespace sockswap {
namespace {

bool is_open(int fd) { return ::fcntl(fd, F_GETFD) != -1; }
Fd null_device() { return Fd(::open("/dev/null", O_RDWR | O_CLOEXEC)); }

TEST(Fd, ClosesOnce) {
  int number = -1;
  {
    const Fd fd = null_device();
    number = fd.get();
    EXPECT_TRUE(is_open(number));
  }
  EXPECT_FALSE(is_open(number));
}

TEST(Fd, MovesAndLeavesNothing) {
  Fd from = null_device();
  const int number = from.get();
  const Fd to = std::move(from);
  EXPECT_EQ(to.get(), number);
  EXPECT_FALSE(from);  // NOLINT(bugprone-use-after-move): that is the promise
}

TEST(Fd, ClosesWhatItHadWhenAnotherIsMovedIn) {
  Fd fd = null_device();
  const int before = fd.get();
  Fd other = null_device();
  fd = std::move(other);
  EXPECT_FALSE(is_open(before));
  EXPECT_TRUE(is_open(fd.get()));
}

TEST(Fd, SurvivesBeingMovedToItself) {
  Fd fd = null_device();
  const int number = fd.get();
  Fd& same = fd;
  fd = std::move(same);
  EXPECT_EQ(fd.get(), number);
  EXPECT_TRUE(is_open(number));
}

TEST(Fd, ReleasesWithoutClosing) {
  Fd fd = null_device();
  const int number = fd.release();
  EXPECT_FALSE(fd);
  EXPECT_TRUE(is_open(number));
  fd.reset(number);
}

TEST(Fd, DuplicatesAreCloseOnExecAndTheirOwn) {
  Fd fd = null_device();
  const Fd copy = fd.duplicate();
  ASSERT_TRUE(copy);
  EXPECT_NE(copy.get(), fd.get());
  EXPECT_EQ(::fcntl(copy.get(), F_GETFD), FD_CLOEXEC);
  fd.reset();
  EXPECT_TRUE(is_open(copy.get()));
  EXPECT_FALSE(Fd().duplicate());
}

}  // namespace
}  // namespace sockswap
