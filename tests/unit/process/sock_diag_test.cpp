#include "process/sock_diag.h"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "base/fd.h"

namespace sockswap::process {
namespace {

struct Kind {
  const char* name;
  int client;    // family of its socket
  int listener;  // and of the accepting one's
  const char* address;
};

struct Ends {
  Fd client;
  Fd server;
};

Ends open_connection(const Kind& kind) {
  const Address address = *Address::parse(kind.address);
  const Fd listener(::socket(kind.listener, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_storage at{};
  socklen_t size = Endpoint{address, 0}.to_sockaddr(kind.listener, at);
  EXPECT_EQ(::bind(listener.get(), reinterpret_cast<sockaddr*>(&at), size), 0);
  EXPECT_EQ(::listen(listener.get(), 1), 0);
  EXPECT_EQ(::getsockname(listener.get(), reinterpret_cast<sockaddr*>(&at), &size), 0);
  const auto bound = Endpoint::from_sockaddr(at);
  Ends ends;
  ends.client = Fd(::socket(kind.client, SOCK_STREAM | SOCK_CLOEXEC, 0));
  size = bound->to_sockaddr(kind.client, at);
  EXPECT_EQ(::connect(ends.client.get(), reinterpret_cast<sockaddr*>(&at), size), 0);
  ends.server = Fd(::accept(listener.get(), nullptr, nullptr));
  return ends;
}

FourTuple tuple_of(const Fd& fd) {
  sockaddr_storage local{}, remote{};
  socklen_t size = sizeof local;
  EXPECT_EQ(::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&local), &size), 0);
  size = sizeof remote;
  EXPECT_EQ(::getpeername(fd.get(), reinterpret_cast<sockaddr*>(&remote), &size), 0);
  return {*Endpoint::from_sockaddr(local), *Endpoint::from_sockaddr(remote)};
}

std::uint32_t inode_of(const Fd& fd) {
  struct stat file {};
  EXPECT_EQ(::fstat(fd.get(), &file), 0);
  return static_cast<std::uint32_t>(file.st_ino);
}

const SocketEntry* entry_in(const std::vector<SocketEntry>& entries, const FourTuple& tuple) {
  const auto hit =
      std::find_if(entries.begin(), entries.end(), [&](const auto& e) { return e.tuple == tuple; });
  return hit == entries.end() ? nullptr : &*hit;
}

class SockDiag : public testing::TestWithParam<Kind> {};

TEST_P(SockDiag, FindsBothEndsAloneAndInTheList) {
  const Ends ends = open_connection(GetParam());
  ASSERT_EQ(::send(ends.client.get(), "hello", 5, 0), 5);
  const auto all = list_connections();
  ASSERT_TRUE(all) << all.error().text();
  const std::pair<const Fd*, int> expected[] = {{&ends.client, GetParam().client},
                                                {&ends.server, GetParam().listener}};
  for (const auto& [fd, family] : expected) {
    const FourTuple tuple = tuple_of(*fd);
    const auto found = find_connection(tuple);
    ASSERT_TRUE(found) << found.error().text();
    ASSERT_TRUE(found->has_value()) << tuple.text();
    const SocketEntry* listed = entry_in(*all, tuple);
    ASSERT_NE(listed, nullptr) << tuple.text();
    for (const SocketEntry* entry : {&**found, listed}) {
      EXPECT_EQ(entry->tuple, tuple);
      EXPECT_EQ(entry->inode, inode_of(*fd));
      EXPECT_EQ(entry->family, family);
      EXPECT_EQ(entry->state, TCP_ESTABLISHED);
      EXPECT_EQ(entry->uid, ::getuid());
      EXPECT_EQ(entry->receive_queue, fd == &ends.server ? 5u : 0u);
      EXPECT_FALSE(entry->has_md5_key);
    }
  }
}

std::string name_of(const testing::TestParamInfo<Kind>& parameter) { return parameter.param.name; }

INSTANTIATE_TEST_SUITE_P(All, SockDiag,
                         testing::Values(Kind{"v4", AF_INET, AF_INET, "127.0.0.1"},
                                         Kind{"v6", AF_INET6, AF_INET6, "::1"},
                                         Kind{"mapped_both", AF_INET6, AF_INET6, "127.0.0.1"},
                                         Kind{"mapped_client", AF_INET6, AF_INET, "127.0.0.1"},
                                         Kind{"mapped_server", AF_INET, AF_INET6, "127.0.0.1"}),
                         name_of);

const Kind kPlain{"v4", AF_INET, AF_INET, "127.0.0.1"};

TEST(SockDiagLookup, ListenerIsNoConnection) {
  const Fd listener(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  ASSERT_EQ(::listen(listener.get(), 1), 0);
  sockaddr_storage at{};
  socklen_t size = sizeof at;
  ASSERT_EQ(::getsockname(listener.get(), reinterpret_cast<sockaddr*>(&at), &size), 0);
  const FourTuple tuple{{*Address::parse("127.0.0.1"), Endpoint::from_sockaddr(at)->port},
                        *Endpoint::parse("127.0.0.1:1")};
  const auto found = find_connection(tuple);
  ASSERT_TRUE(found) << found.error().text();
  EXPECT_FALSE(found->has_value());
}

TEST(SockDiagLookup, BoundToADevice) {
  Ends ends = open_connection(kPlain);
  if (::setsockopt(ends.client.get(), SOL_SOCKET, SO_BINDTODEVICE, "lo", 3) != 0)
    GTEST_SKIP() << "SO_BINDTODEVICE: needs CAP_NET_RAW";
  const auto found = find_connection(tuple_of(ends.client));
  ASSERT_TRUE(found && found->has_value());
  EXPECT_EQ((*found)->inode, inode_of(ends.client));
}

TEST(SockDiagLookup, HalfClosedStatesAndOrphans) {
  Ends ends = open_connection(kPlain);
  const FourTuple client = tuple_of(ends.client), server = tuple_of(ends.server);
  ends.client.reset();
  const auto orphan = find_connection(client), half_closed = find_connection(server);
  ASSERT_TRUE(orphan && half_closed && orphan->has_value() && half_closed->has_value());
  EXPECT_EQ((*orphan)->inode, 0u);
  EXPECT_TRUE((*orphan)->state == TCP_FIN_WAIT1 || (*orphan)->state == TCP_FIN_WAIT2);
  EXPECT_EQ((*half_closed)->state, TCP_CLOSE_WAIT);
  ends.server.reset();
  const auto gone = find_connection(server);
  ASSERT_TRUE(gone);
  EXPECT_FALSE(gone->has_value());
}

TEST(SockDiagLookup, Md5Key) {
  Ends ends = open_connection(kPlain);
  tcp_md5sig key{};
  sockaddr_storage at{};
  tuple_of(ends.client).remote.to_sockaddr(AF_INET, at);
  std::memcpy(&key.tcpm_addr, &at, sizeof at);
  key.tcpm_keylen = 3;
  std::memcpy(key.tcpm_key, "key", 3);
  if (::setsockopt(ends.client.get(), IPPROTO_TCP, TCP_MD5SIG, &key, sizeof key) != 0)
    GTEST_SKIP() << "TCP_MD5SIG: not in this kernel";
  const auto found = find_connection(tuple_of(ends.client));
  ASSERT_TRUE(found && found->has_value());
  EXPECT_TRUE((*found)->has_md5_key);
  EXPECT_FALSE((*find_connection(tuple_of(ends.server)))->has_md5_key);
}

TEST(SockDiagLookup, MixedFamiliesAreRefused) {
  const auto found = find_connection({*Endpoint::parse("127.0.0.1:1"), *Endpoint::parse("[::1]:2")});
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().code, ErrorCode::usage);
}

}  // namespace
}  // namespace sockswap::process
