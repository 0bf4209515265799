// Plain sockets on a lab's hosts, for the tests. Everything waits a bounded time.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "lab/lab.h"

// Takes the value out of a Result, or ends the test with the error's text.
#define ASSERT_VALUE(declaration, expression) \
  ASSERT_VALUE_(SOCKSWAP_CONCAT(asserted_, __LINE__), declaration, expression)
#define ASSERT_VALUE_(temporary, declaration, expression)                               \
  auto temporary = (expression);                                                        \
  ASSERT_TRUE(temporary) << temporary.error().text() << "; " << temporary.error().hint; \
  declaration = std::move(*temporary)
#define ASSERT_DONE(expression)                                                        \
  do {                                                                                 \
    auto asserted = (expression);                                                      \
    ASSERT_TRUE(asserted) << asserted.error().text() << "; " << asserted.error().hint; \
  } while (false)

#define SKIP_WITHOUT_ROOT() \
  if (::geteuid() != 0) GTEST_SKIP() << "needs root (CAP_SYS_ADMIN, CAP_NET_ADMIN)"

namespace sockswap::lab::test {

LabOptions hosts_named(std::initializer_list<const char*> names, Topology topology = Topology::bridge);

Result<Fd> listen_on(Host& host, const Endpoint& at);
Result<Fd> connect_from(Host& host, const Endpoint& to);
Result<Fd> accept_from(const Fd& listener);
Result<FourTuple> ends_of(const Fd& connection);
Result<> send_all(const Fd& connection, std::string_view text);
Result<std::string> receive(const Fd& connection, std::size_t length);

// A TCP connection from one host to another, and what accept() gave there.
struct Pair {
  Fd client;
  Fd server;
};
Result<Pair> connected_pair(Host& from, Host& to, const Address& address, std::uint16_t port);
// True if a byte comes through in each direction.
bool talks(const Pair& pair);

Result<Fd> udp_on(Host& host, const Endpoint& at);
// Sends datagrams that hold 0 … count-1 and returns the numbers that come until there is silence: a long one
// before `expected` numbers have come, a short one then.
Result<std::vector<int>> numbered_datagrams(Host& from, Host& to, std::size_t count, std::size_t expected);

}  // namespace sockswap::lab::test
