// What the C++ examples need of plain TCP; nothing in here is about sockswap.
#pragma once

#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <system_error>

inline int check(ssize_t result, const char* what) {
  if (result < 0) throw std::system_error(errno, std::generic_category(), what);
  return static_cast<int>(result);
}

// An IPv6 socket takes IPv4 connections too.
inline int listen_on(std::uint16_t port) {
  const int listener = check(socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket");
  const int yes = 1, no = 0;
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  setsockopt(listener, IPPROTO_IPV6, IPV6_V6ONLY, &no, sizeof no);
  const sockaddr_in6 any{AF_INET6, htons(port), 0, IN6ADDR_ANY_INIT, 0};
  check(bind(listener, reinterpret_cast<const sockaddr*>(&any), sizeof any), "bind");
  check(listen(listener, 16), "listen");
  return listener;
}

// One connection only: the listener is closed.
inline int accept_one(int listener) {
  const int fd = check(accept4(listener, nullptr, nullptr, SOCK_CLOEXEC), "accept");
  close(listener);
  return fd;
}

inline int connect_to(const char* host, const char* port) {
  addrinfo want{}, *found = nullptr;
  want.ai_socktype = SOCK_STREAM;
  if (const int error = getaddrinfo(host, port, &want, &found)) throw std::runtime_error(gai_strerror(error));
  const int fd = check(socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket");
  const int result = connect(fd, found->ai_addr, found->ai_addrlen);
  freeaddrinfo(found);
  check(result, "connect");
  return fd;
}
