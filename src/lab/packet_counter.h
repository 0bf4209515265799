// Counts TCP packets that come to a host or leave it, in the kernel, by nft rules at its eth0: nothing is
// missed at any speed, and nothing is copied. A packet is what the kernel hands around: on a plain link
// several segments may travel as one; what is not there counts as exactly 0.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "base/endpoint.h"
#include "base/result.h"
#include "lab/link.h"
#include "lab/namespaces.h"

namespace sockswap::lab {

enum class TcpFlag : std::uint8_t { fin = 1, syn = 2, rst = 4, psh = 8, ack = 16 };

// What is not given matches everything.
struct PacketFilter {
  std::optional<Address> source = {}, destination = {};
  std::optional<std::uint16_t> source_port = {}, destination_port = {};
  std::optional<TcpFlag> flag = {};
  Direction direction = Direction::both;

  static PacketFilter segments(const Endpoint& from, const Endpoint& to);
  static PacketFilter resets() { return {.flag = TcpFlag::rst}; }

  // The matching part of the nft rule. Both addresses must be of one family.
  Result<std::string> rule() const;
};

// Counts until it is destroyed or the host is switched off.
class PacketCounter {
 public:
  static Result<PacketCounter> start(const std::shared_ptr<NamespaceThread>& host,
                                     const PacketFilter& filter);

  Result<std::uint64_t> packets() const;
  Result<std::uint64_t> bytes() const;  // with their headers

 private:
  struct Table;  // deletes its rules
  explicit PacketCounter(std::shared_ptr<Table> table) : table_(std::move(table)) {}
  Result<std::uint64_t> counted(const char* what) const;

  std::shared_ptr<Table> table_;
};

}  // namespace sockswap::lab
