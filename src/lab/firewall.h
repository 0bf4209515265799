// A stateful firewall, of nftables with connection tracking: at the router of a routed lab, or on a host for
// itself. It lets pass what belongs to a connection that it knows and drops what connection tracking calls
// invalid, as ordinary firewalls do. What they differ in is FirewallRules.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "base/result.h"
#include "lab/namespaces.h"

namespace sockswap::lab {

struct FirewallRules {
  // net.netfilter.nf_conntrack_tcp_loose: a connection that it has not seen begin is taken up where it is
  // (the kernel's default); otherwise its segments are invalid.
  bool loose = true;
  // net.netfilter.nf_conntrack_tcp_be_liberal: only an RST may be invalid for being out of the window.
  bool liberal = false;
  // A new connection must begin with SYN, whatever connection tracking thinks ("new, not syn: drop").
  bool only_syn_is_new = false;
  // The ports to which new connections may be made; none: all.
  std::vector<std::uint16_t> open_ports = {};
};

// Filters until it is destroyed or its namespace ends. One thread at a time.
class Firewall {
 public:
  enum class Place { router, host };  // what passes through; or what comes in for itself, all going out

  static Result<Firewall> start(const std::shared_ptr<NamespaceThread>& where, Place place,
                                const FirewallRules& rules);

  // The two settings of the kernel, while the rules and what is known of connections stay.
  Result<> set_loose(bool loose);
  Result<> set_liberal(bool liberal);

  Result<std::uint64_t> dropped() const;  // packets, so far

 private:
  struct Table;  // takes its rules away
  explicit Firewall(std::shared_ptr<Table> table) : table_(std::move(table)) {}

  std::shared_ptr<Table> table_;
};

}  // namespace sockswap::lab
