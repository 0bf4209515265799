// What a transfer costs: processor time of the whole machine, and what passes the former home.
#pragma once

#include <cstdint>
#include <vector>

#include "lab/host.h"

namespace sockswap::thesis {

// CPU seconds that the machine has been busy, less those of this process, whose wires stand for cables.
double busy_seconds();

// Counts the bytes of connections to and from a port that pass a host's interface: a packet that comes in
// and goes out again counts twice.
class Passing {
 public:
  static Result<Passing> watch(lab::Host& host, std::uint16_t port);
  Result<std::uint64_t> bytes() const;

 private:
  std::vector<lab::PacketCounter> counters_;
};

}  // namespace sockswap::thesis
