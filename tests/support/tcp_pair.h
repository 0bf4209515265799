// Two connected TCP sockets on loopback, and what tests do with them. Calls that can't fail on a sound
// machine throw; a wait is bounded, so that lost bytes fail a test instead of hanging it.
#pragma once

#include <cstdint>
#include <string>

#include "base/endpoint.h"
#include "base/fd.h"

namespace sockswap::test {

enum class Kind { ipv4, ipv6, mapped };  // mapped: AF_INET6 sockets with v4-mapped addresses
const char* name(Kind kind);
int family_of(Kind kind);
Endpoint loopback(Kind kind, std::uint16_t port = 0);

enum class ClientPort {
  ephemeral,
  bound,
  wildcard
};  // explicit bind(): to address and port; to the port alone
const char* name(ClientPort port);

struct TcpPair {
  Fd client;
  Fd server;  // accepted
};
TcpPair connect_pair(Kind kind, ClientPort port = ClientPort::ephemeral);

Endpoint local_of(const Fd& socket);
Endpoint remote_of(const Fd& socket);

int get_int(const Fd& socket, int level, int option);
void set_int(const Fd& socket, int level, int option, int value);
std::size_t filter_length(const Fd& socket);  // in instructions; 0 without a filter

// Writes until the kernel takes no more (or `limit` bytes); bytes of the ramp from `from` on.
std::size_t fill(const Fd& socket, std::size_t from, std::size_t limit = SIZE_MAX);
// Sends all of ramp [from, from + count) with a large enough buffer, without waiting for a reader.
void send_ramp(const Fd& socket, std::size_t from, std::size_t count);
// Reads `count` bytes; how many of them were the ramp's from `from` on, in order.
std::size_t receive_ramp(const Fd& socket, std::size_t from, std::size_t count);
// A few bytes both ways; empty if they arrive, or else what went wrong.
std::string talk(const Fd& a, const Fd& b);

// Everything that arrives is lost while it lives. Not for a socket with a filter of its own.
class Blackhole {
 public:
  explicit Blackhole(const Fd& socket);
  ~Blackhole();
  Blackhole(const Blackhole&) = delete;
  Blackhole& operator=(const Blackhole&) = delete;

 private:
  int fd_;
};

std::size_t open_descriptors();

}  // namespace sockswap::test
