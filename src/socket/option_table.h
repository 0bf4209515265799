// The one table of socket options that travel with an end, and why others don't.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>

#include "base/bytes.h"

namespace sockswap::socket {

enum class Phase : std::uint8_t {
  early,    // before connect(): routing and congestion control look at it there
  late,     // on the complete end, before anything is sent
  asleep,   // kept at its default from freeze to thaw, since it acts of its own accord
  sending,  // overridden while the not-yet-sent bytes are written back
};

enum class Applies : std::uint8_t {
  always,
  to_ipv4,  // IPv4 traffic, so also an AF_INET6 socket with v4-mapped addresses
  to_ipv6,  // AF_INET6 sockets
};

enum class IfMissing : std::uint8_t {
  fail,
  skip,  // only tunes speed, and kernels differ in having it: the host's own choice will do
};

struct OptionRow {
  int level;
  int name;
  const char* text;
  std::uint8_t size;  // bytes; 0: variable
  Phase phase;
  // What every fresh socket has, whatever the host's sysctls say. An image leaves such values out.
  std::optional<std::int64_t> fresh;
  Applies applies = Applies::always;
  IfMissing if_missing = IfMissing::fail;
};

std::span<const OptionRow> option_table();

// `row.fresh` as the bytes that getsockopt gives; requires row.fresh and row.size > 0.
Bytes fresh_value(const OptionRow& row);

}  // namespace sockswap::socket
