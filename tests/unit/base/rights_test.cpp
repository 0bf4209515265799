// Bytes and descriptors through a socket pair.
#include "base/rights.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

namespace sockswap {
namespace {

class Rights : public testing::Test {
 protected:
  void SetUp() override {
    int ends[2];
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    here = Fd(ends[0]);
    there = Fd(ends[1]);
  }
  Fd here, there;
  std::array<std::byte, 64> buffer;
  std::deque<Fd> fds;
};

TEST_F(Rights, DescriptorsComeWithTheFirstByteInOrderAndCloseOnExec) {
  int pipe_ends[2];
  ASSERT_EQ(::pipe(pipe_ends), 0);
  const Fd read_end(pipe_ends[0]), write_end(pipe_ends[1]);
  const int sent[] = {write_end.get(), read_end.get()};
  ASSERT_EQ(send_some(here.get(), view_of("hello"), sent).value(), 5u);
  ASSERT_EQ(receive_some(there.get(), std::span(buffer).first(1), fds).value(), 1u);
  ASSERT_EQ(fds.size(), 2u);
  EXPECT_EQ(::fcntl(fds[0].get(), F_GETFD), FD_CLOEXEC);
  ASSERT_EQ(::write(fds[0].get(), "x", 1), 1);
  char byte = 0;
  EXPECT_EQ(::read(fds[1].get(), &byte, 1), 1);
  ASSERT_EQ(receive_some(there.get(), buffer, fds).value(), 4u);
  EXPECT_EQ(fds.size(), 2u) << "the rest of the bytes brings none";
}

TEST_F(Rights, NothingThereIsNoError) { EXPECT_FALSE(receive_some(there.get(), buffer, fds).value()); }

TEST_F(Rights, TheEndIsZeroBytes) {
  here.reset();
  EXPECT_EQ(receive_some(there.get(), buffer, fds).value(), 0u);
}

TEST_F(Rights, MoreThanTheKernelCarriesIsRefusedBeforeAnythingIsSent) {
  const std::vector<int> many(254, here.get());
  const auto sent = send_some(here.get(), view_of("x"), many);
  ASSERT_FALSE(sent);
  EXPECT_EQ(sent.error().code, ErrorCode::too_large);
  EXPECT_FALSE(receive_some(there.get(), buffer, fds).value());
}

}  // namespace
}  // namespace sockswap
