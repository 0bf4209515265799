// What joins the hosts: a bridge, or a router between subnets, in the lab's own network namespace.
//
//   bridge:  all hosts in 10.133.0.0/24 and fd00:133::/64, ports on the bridge "switch"
//   routed:  host i alone in 10.133.i.0/24 and fd00:133:0:i::/64, its port on the bridge "gate-i", which
//            carries the gateway's addresses
//
// Only names and addresses are decided here, purely, but for build_network(). Addresses and MACs depend on
// the place of the host in the lab only, so that a host comes back with the same ones.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "base/endpoint.h"
#include "base/result.h"
#include "lab/namespaces.h"

namespace sockswap::lab {

enum class Topology { bridge, routed };

Result<Topology> parse_topology(std::string_view text);
std::string_view name(Topology topology);

inline constexpr std::size_t kMostHosts = 200;

// One host's place in the network.
struct Place {
  std::size_t number = 0;  // 1, 2, …
  Address v4, v6;
  std::optional<Address> gateway_v4, gateway_v6;  // routed only
  std::string mac;
  std::string port;      // the lab's end of the host's cable
  std::string upstream;  // the bridge to which the cable leads
};

Place place(Topology topology, std::size_t number);

// Builds the bridge or the gates for that many hosts in the namespaces of `lab`.
Result<> build_network(NamespaceThread& lab, Topology topology, std::size_t hosts);

// The addresses and routes of a host whose eth0 exists, as `ip -batch` reads them; set from within its
// namespace.
std::string host_network(const Place& place);
Result<> configure_host(NamespaceThread& host, const Place& place);

}  // namespace sockswap::lab
