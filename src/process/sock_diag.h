// The kernel's table of TCP sockets in this network namespace, through NETLINK_SOCK_DIAG (libmnl).
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/endpoint.h"
#include "base/result.h"

namespace sockswap::process {

struct SocketEntry {
  FourTuple tuple;
  int family = 0;           // AF_INET or AF_INET6 (a v4-mapped one has IPv4 addresses)
  std::uint8_t state = 0;   // TCP_ESTABLISHED …, linux/tcp_states.h
  std::uint32_t inode = 0;  // 0: no file any more
  std::uint32_t uid = 0;
  std::uint32_t receive_queue = 0;  // bytes
  std::uint32_t send_queue = 0;     // bytes
  bool has_md5_key = false;         // TCP-MD5 (RFC 2385): not movable
};

// Every connected TCP socket (established and half-closed states; no listeners, no TIME_WAIT).
Result<std::vector<SocketEntry>> list_connections();

// One, by its 4-tuple; std::nullopt if there is none. Costs a look at the whole table if there is none.
Result<std::optional<SocketEntry>> find_connection(const FourTuple& tuple);

// Has a socket that isn't bound to a device this 4-tuple? Costs one lookup, also if there is none.
Result<bool> is_taken(const FourTuple& tuple);

}  // namespace sockswap::process
