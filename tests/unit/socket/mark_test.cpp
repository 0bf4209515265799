// What a frozen end's filter says, as bytes.
#include "socket/mark.h"

#include <gtest/gtest.h>
#include <linux/filter.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "support/tcp_pair.h"

namespace sockswap::test {
namespace {

using namespace socket;

Bytes value(int number) {
  const ByteView view = std::as_bytes(std::span(&number, 1));
  return {view.begin(), view.end()};
}
Bytes as_bytes(std::span<const sock_filter> instructions) {
  const ByteView view = std::as_bytes(instructions);
  return {view.begin(), view.end()};
}

Mark some(Gate gate, bool own) {
  Mark mark{.gate = gate, .freezer = 4711, .whole = {}, .asleep = {}, .own = {}};
  mark.whole = Identity{FourTuple::parse("[fd00::1]:80-[fd00::2]:65535").value(), AF_INET6};
  mark.asleep = {{SOL_SOCKET, SO_KEEPALIVE, value(1)}, {IPPROTO_TCP, TCP_USER_TIMEOUT, value(30'000)}};
  const sock_filter program[] = {BPF_STMT(BPF_LD | BPF_W | BPF_LEN, 0),
                                 BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, 1400, 0, 1),
                                 BPF_STMT(BPF_RET | BPF_K, 1400), BPF_STMT(BPF_RET | BPF_K, 0xffffffff)};
  if (own) mark.own = as_bytes(program);
  return mark;
}

void expect_same(const Mark& one, const Mark& other) {
  EXPECT_EQ(one.gate, other.gate);
  EXPECT_EQ(one.freezer, other.freezer);
  EXPECT_EQ(one.whole, other.whole);
  EXPECT_EQ(one.asleep, other.asleep);
  EXPECT_EQ(one.own, other.own);
}

TEST(Mark, IsReadAsItWasWritten) {
  for (const Gate gate : {Gate::cut_off, Gate::open})
    for (const bool own : {false, true}) {
      Mark mark = some(gate, own);
      auto read = read_mark(to_instructions(mark));
      ASSERT_TRUE(read);
      expect_same(*read, mark);
      mark.whole.reset();
      mark.asleep.clear();
      read = read_mark(to_instructions(mark));
      ASSERT_TRUE(read);
      expect_same(*read, mark);
    }
}

TEST(Mark, IsTakenByTheKernelAndGivenBack) {
  TcpPair pair = connect_pair(Kind::ipv4);
  Bytes written = to_instructions(some(Gate::open, true));
  const sock_fprog program{static_cast<unsigned short>(written.size() / sizeof(sock_filter)),
                           reinterpret_cast<sock_filter*>(written.data())};
  ASSERT_EQ(::setsockopt(pair.server.get(), SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program), 0);
  Bytes read(written.size());
  auto count = static_cast<socklen_t>(read.size() / sizeof(sock_filter));
  ASSERT_EQ(::getsockopt(pair.server.get(), SOL_SOCKET, SO_GET_FILTER, read.data(), &count), 0);
  EXPECT_EQ(read, written);
  EXPECT_EQ(talk(pair.client, pair.server), "") << "an open one lets pass what the program's own does";
}

TEST(Mark, IsNothingElse) {
  EXPECT_FALSE(read_mark({}));
  EXPECT_FALSE(read_mark(some(Gate::open, true).own));
  const Bytes whole = to_instructions(some(Gate::cut_off, true));
  for (std::size_t size = sizeof(sock_filter); size < whole.size(); size += sizeof(sock_filter)) {
    EXPECT_FALSE(read_mark(ByteView(whole).first(size))) << size;
    EXPECT_FALSE(read_mark(ByteView(whole).subspan(size))) << size;
  }
  // Some of these are marks, of something else: what matters is that each is read without harm.
  for (std::size_t at = 0; at < whole.size(); ++at)
    for (int bit = 0; bit < 8; ++bit) {
      Bytes other = whole;
      other[at] ^= static_cast<std::byte>(1 << bit);
      static_cast<void>(read_mark(other));
    }
}

// A program can set any filter, and so any mark.
TEST(Mark, HasNoOptionsThatNeedRights) {
  Mark mark = some(Gate::cut_off, false);
  mark.asleep = {{SOL_SOCKET, SO_MARK, value(7)}};
  EXPECT_FALSE(read_mark(to_instructions(mark)));
}

}  // namespace
}  // namespace sockswap::test
