// The numbers of a soak's stream, over a socket pair: right ones pass, and each way of going wrong is seen.
#include "soak/numbered.h"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <vector>

#include "base/fd.h"

namespace sockswap::soak {
namespace {

using Bytes = std::vector<unsigned char>;

Bytes numbers(std::uint64_t from, std::size_t count) {
  Bytes out(count);
  number(from, out);
  return out;
}

// What a receiver says that is given these bytes from the stream's beginning on.
std::optional<std::string> verdict(const Bytes& bytes) {
  int fds[2];
  EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
  const Fd ours(fds[0]), theirs(fds[1]);
  EXPECT_EQ(::send(theirs.get(), bytes.data(), bytes.size(), 0), static_cast<ssize_t>(bytes.size()));
  ::shutdown(theirs.get(), SHUT_WR);
  NumberedStream stream(ours.get(), {}, 1);
  while (!stream.at_end())
    if (auto wrong = stream.step()) return wrong;
  EXPECT_EQ(stream.position().received, bytes.size());
  return std::nullopt;
}

TEST(Numbered, AnyPieceIsThatOfTheWhole) {
  const Bytes whole = numbers(0, 100);
  for (std::size_t from = 0; from < 20; ++from)
    EXPECT_EQ(numbers(from, 50),
              Bytes(whole.begin() + static_cast<long>(from), whole.begin() + static_cast<long>(from) + 50));
}

TEST(Numbered, RightNumbersPass) { EXPECT_EQ(verdict(numbers(0, 10'001)), std::nullopt); }

TEST(Numbered, ALostOneIsSeen) {
  Bytes bytes = numbers(0, 10'000);
  bytes.erase(bytes.begin() + 4000, bytes.begin() + 4008);
  EXPECT_EQ(verdict(bytes), "byte 4000 is wrong");
}

// A whole segment, at a distance that a pattern with a period might not see.
TEST(Numbered, ALostPageIsSeen) {
  Bytes bytes = numbers(0, 60'000);
  bytes.erase(bytes.begin() + 4096, bytes.begin() + 4096 + 32'768);
  EXPECT_TRUE(verdict(bytes));
}

TEST(Numbered, ADoubledOneIsSeen) {
  Bytes bytes = numbers(0, 10'000);
  const Bytes again = numbers(3992, 8);
  bytes.insert(bytes.begin() + 4000, again.begin(), again.end());
  EXPECT_EQ(verdict(bytes), "byte 4000 is wrong");
}

TEST(Numbered, AChangedByteIsSeen) {
  Bytes bytes = numbers(0, 10'000);
  bytes[5003] ^= 1;
  EXPECT_EQ(verdict(bytes), "byte 5003 is wrong");
}

}  // namespace
}  // namespace sockswap::soak
