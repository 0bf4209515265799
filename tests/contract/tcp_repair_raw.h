// Bare system calls for the programs that prove what the engine relies on; none of the engine's code.
#pragma once

#include <gtest/gtest.h>
#include <linux/filter.h>
#include <linux/sockios.h>
#include <linux/tcp.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "support/tcp_pair.h"

namespace sockswap::test {

inline int set_option(const Fd& socket, int level, int name, int value) {
  return ::setsockopt(socket.get(), level, name, &value, sizeof value) == 0 ? 0 : errno;
}
inline int repair(const Fd& socket, int value) { return set_option(socket, IPPROTO_TCP, TCP_REPAIR, value); }

inline int disconnect_raw(const Fd& socket) {
  const sockaddr nowhere{.sa_family = AF_UNSPEC, .sa_data = {}};
  return ::connect(socket.get(), &nowhere, sizeof nowhere) == 0 ? 0 : errno;
}

inline int bind_raw(const Fd& socket, const Endpoint& to) {
  sockaddr_storage address{};
  const socklen_t size = to.to_sockaddr(AF_INET, address);
  return ::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), size) == 0 ? 0 : errno;
}
inline int connect_raw(const Fd& socket, const Endpoint& to) {
  sockaddr_storage address{};
  const socklen_t size = to.to_sockaddr(AF_INET, address);
  return ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), size) == 0 ? 0 : errno;
}

inline tcp_info info_raw(const Fd& socket) {
  tcp_info out{};
  socklen_t size = sizeof out;
  ::getsockopt(socket.get(), IPPROTO_TCP, TCP_INFO, &out, &size);
  return out;
}
inline int count_raw(const Fd& socket, unsigned long request) {
  int out = -1;
  ::ioctl(socket.get(), request, &out);
  return out;
}

// What TCP repair needs; each test begins with it.
#define SOCKSWAP_NEED_REPAIR(socket) \
  if (repair(socket, TCP_REPAIR_ON) != 0) GTEST_SKIP() << "TCP_REPAIR needs CAP_NET_ADMIN"

}  // namespace sockswap::test
