// Bytes and descriptors through a socket pair.
#include "base/rights.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
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

  ErrorCode code_of_room(std::size_t count) const {
    const auto room = keep_room(here.get(), count);
    return room ? ErrorCode::ok : room.error().code;
  }
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

// The table's room at the time, and how many further descriptors it lets in.
class NoRoomBeyond {
 public:
  explicit NoRoomBeyond(std::size_t left) {
    ::getrlimit(RLIMIT_NOFILE, &before_);
    const std::vector<Fd> next = keep_room(STDERR_FILENO, left + 1).value();
    const rlimit less{.rlim_cur = static_cast<rlim_t>(next.back().get()), .rlim_max = before_.rlim_max};
    ::setrlimit(RLIMIT_NOFILE, &less);
  }
  ~NoRoomBeyond() { ::setrlimit(RLIMIT_NOFILE, &before_); }
  NoRoomBeyond(const NoRoomBeyond&) = delete;
  NoRoomBeyond& operator=(const NoRoomBeyond&) = delete;

 private:
  rlimit before_{};
};

TEST_F(Rights, ThoseThatFindNoRoomLeaveAMarkAndTheStreamWhole) {
  const int two[] = {here.get(), here.get()};
  ASSERT_EQ(send_some(here.get(), view_of("first"), two).value(), 5u);
  ASSERT_EQ(send_some(here.get(), view_of("second"), two).value(), 6u);
  {
    const NoRoomBeyond one(1);
    ASSERT_EQ(receive_some(there.get(), buffer, fds).value(), 5u);
  }
  ASSERT_EQ(fds.size(), 1u);
  EXPECT_FALSE(fds.front());
  ASSERT_EQ(receive_some(there.get(), buffer, fds).value(), 6u);
  ASSERT_EQ(fds.size(), 3u);
  EXPECT_TRUE(fds[1] && fds[2]);
}

TEST_F(Rights, RoomIsKeptOrRefused) {
  const NoRoomBeyond two(2);
  {
    const auto room = keep_room(here.get(), 2);
    ASSERT_TRUE(room);
    EXPECT_EQ(code_of_room(1), ErrorCode::no_resources) << "it is kept";
  }
  EXPECT_EQ(code_of_room(3), ErrorCode::no_resources);
  EXPECT_EQ(code_of_room(2), ErrorCode::ok);
}

}  // namespace
}  // namespace sockswap
