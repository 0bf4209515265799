// What can't move is refused by name, before anything is changed.
#include <gtest/gtest.h>
#include <linux/bpf.h>
#include <linux/filter.h>
#include <linux/tcp.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>

#include "failing_kernel.h"
#include "support/tcp_pair.h"
#include "swap.h"

#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP 262
#endif

namespace sockswap::test {
namespace {

using socket::check_movable;
using socket::real_kernel;

void expect_refused(const Fd& socket, const char* because, ErrorCode code = ErrorCode::not_movable) {
  const auto answer = check_movable(real_kernel(), socket.get());
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, code);
  EXPECT_NE(answer.error().message.find(because), std::string::npos) << answer.error().message;
}

TEST(Movable, AnEstablishedConnectionIs) {
  for (const Kind kind : {Kind::ipv4, Kind::ipv6, Kind::mapped}) {
    const TcpPair pair = connect_pair(kind);
    fill(pair.client, 0, 1000);
    for (const Fd* end : {&pair.client, &pair.server}) {
      const auto answer = check_movable(real_kernel(), end->get());
      EXPECT_TRUE(answer) << answer.error().text();
    }
    EXPECT_EQ(receive_ramp(pair.server, 0, 1000), 1000U);
  }
}

TEST(Movable, WhatIsNotTcpIsNot) {
  int pipes[2];
  ASSERT_EQ(::pipe(pipes), 0);
  const Fd in(pipes[0]), out(pipes[1]);
  expect_refused(in, "not a socket");
  expect_refused(Fd(::socket(AF_UNIX, SOCK_STREAM, 0)), "not TCP");
  expect_refused(Fd(::socket(AF_INET, SOCK_DGRAM, 0)), "not TCP");
}

TEST(Movable, MptcpIsNot) {
  const Fd socket(::socket(AF_INET, SOCK_STREAM, IPPROTO_MPTCP));
  if (!socket) GTEST_SKIP() << "this kernel has no MPTCP";
  expect_refused(socket, "MPTCP");
}

TEST(Movable, OtherStatesThanEstablishedAreNot) {
  expect_refused(Fd(::socket(AF_INET, SOCK_STREAM, 0)), "CLOSED");
  TcpPair pair = connect_pair(Kind::ipv4);
  ASSERT_EQ(::shutdown(pair.client.get(), SHUT_WR), 0);
  expect_refused(pair.client, "FIN-WAIT");  // -1 until the delayed acknowledgement
  expect_refused(pair.server, "CLOSE-WAIT");
}

TEST(Movable, UrgentDataPendingIsNot) {
  for (const bool inline_urgent : {false, true}) {
    const TcpPair pair = connect_pair(Kind::ipv4);
    if (inline_urgent) set_int(pair.server, SOL_SOCKET, SO_OOBINLINE, 1);
    ASSERT_EQ(::send(pair.client.get(), "ab!", 3, MSG_OOB), 3);
    expect_refused(pair.server, "urgent");
    // Looking did not consume it.
    char byte = 0;
    if (!inline_urgent) {
      EXPECT_EQ(::recv(pair.server.get(), &byte, 1, MSG_OOB), 1);
      EXPECT_EQ(byte, '!');
    }
  }
}

TEST(Movable, AFilterThatCantBePutBackIsNot) {
  const sock_filter accept_all[] = {BPF_STMT(BPF_RET | BPF_K, 0xffffffff)};
  const sock_fprog program{1, const_cast<sock_filter*>(accept_all)};
  const TcpPair pair = connect_pair(Kind::ipv4);
  ASSERT_EQ(::setsockopt(pair.server.get(), SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program), 0);
  EXPECT_TRUE(check_movable(real_kernel(), pair.server.get()));
  set_int(pair.server, SOL_SOCKET, SO_LOCK_FILTER, 1);
  expect_refused(pair.server, "SO_LOCK_FILTER");
}

TEST(Movable, AnEbpfFilterIsNot) {
  // r0 = 0xffff; exit
  const bpf_insn code[] = {{BPF_ALU64 | BPF_MOV | BPF_K, 0, 0, 0, 0xffff}, {BPF_JMP | BPF_EXIT, 0, 0, 0, 0}};
  bpf_attr load{};
  load.prog_type = BPF_PROG_TYPE_SOCKET_FILTER;
  load.insns = reinterpret_cast<std::uintptr_t>(code);
  load.insn_cnt = 2;
  load.license = reinterpret_cast<std::uintptr_t>("Apache");
  const Fd filter(static_cast<int>(::syscall(SYS_bpf, BPF_PROG_LOAD, &load, sizeof load)));
  if (!filter) GTEST_SKIP() << "loading eBPF is not allowed here";
  const TcpPair pair = connect_pair(Kind::ipv4);
  set_int(pair.server, SOL_SOCKET, SO_ATTACH_BPF, filter.get());
  expect_refused(pair.server, "eBPF");
  EXPECT_FALSE(socket::FrozenEnd::freeze(real_kernel(), pair.server.duplicate()));
}

TEST(Movable, OneThatSomebodyElseMovesIsBusy) {
  const TcpPair pair = connect_pair(Kind::ipv4);
  const auto frozen = socket::FrozenEnd::freeze(real_kernel(), pair.server.duplicate());
  ASSERT_TRUE(frozen);
  expect_refused(pair.server, "repair", ErrorCode::busy);
}

// TCP-AO and kernel TLS may be missing in the kernel that runs this: a kernel that says it has them.
class PretendingKernel final : public FailingKernel {
 public:
  explicit PretendingKernel(int option) : option_(option) {}
  int getsockopt(int fd, int level, int name, void* value, socklen_t* size) override {
    if (level != IPPROTO_TCP || name != option_)
      return FailingKernel::getsockopt(fd, level, name, value, size);
    const std::string_view tls("tls", 4);
    tls.copy(static_cast<char*>(value), tls.size());
    return 0;
  }

 private:
  int option_;
};

TEST(Movable, SignedAndEncryptedConnectionsAreNot) {
  const TcpPair pair = connect_pair(Kind::ipv4);
  for (const auto& [option, because] : {std::pair(TCP_ULP, "tls"), std::pair(40, "TCP-AO")}) {
    PretendingKernel kernel(option);
    const auto answer = check_movable(kernel, pair.server.get());
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().code, ErrorCode::not_movable);
    EXPECT_NE(answer.error().message.find(because), std::string::npos) << answer.error().message;
  }
}

}  // namespace
}  // namespace sockswap::test
