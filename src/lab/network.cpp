#include "lab/network.h"

#include <fmt/format.h>

#include "lab/tool.h"

namespace sockswap::lab {
namespace {

// Of our own making, so they parse.
Address address(const std::string& text) { return *Address::parse(text); }

// Duplicate address detection would keep IPv6 addresses unusable for a second or more.
Result<> skip_address_detection(NamespaceThread& where) {
  SOCKSWAP_CHECK(set_sysctl(where, "net/ipv6/conf/all/accept_dad", "0"));
  return set_sysctl(where, "net/ipv6/conf/default/accept_dad", "0");
}

std::string bridge_line(const std::string& name) {
  return fmt::format("link add name {} type bridge stp_state 0 forward_delay 0 mcast_snooping 0\n", name);
}

}  // namespace

Result<Topology> parse_topology(std::string_view text) {
  if (text == "bridge") return Topology::bridge;
  if (text == "routed") return Topology::routed;
  return failure(ErrorCode::usage, fmt::format("\"{}\" is no topology", text), "use bridge or routed");
}

std::string_view name(Topology topology) { return topology == Topology::bridge ? "bridge" : "routed"; }

Place place(Topology topology, std::size_t number) {
  Place place{.number = number,
              .v4 = {},
              .v6 = {},
              .gateway_v4 = {},
              .gateway_v6 = {},
              .mac = fmt::format("02:00:00:00:01:{:02x}", number),
              .port = fmt::format("port-{}", number),
              .upstream = "switch"};
  if (topology == Topology::bridge) {
    place.v4 = address(fmt::format("10.133.0.{}", number));
    place.v6 = address(fmt::format("fd00:133::{:x}", number));
  } else {
    place.v4 = address(fmt::format("10.133.{}.2", number));
    place.v6 = address(fmt::format("fd00:133:0:{:x}::2", number));
    place.gateway_v4 = address(fmt::format("10.133.{}.1", number));
    place.gateway_v6 = address(fmt::format("fd00:133:0:{:x}::1", number));
    place.upstream = fmt::format("gate-{}", number);
  }
  return place;
}

Result<> build_network(NamespaceThread& lab, Topology topology, std::size_t hosts) {
  SOCKSWAP_CHECK(skip_address_detection(lab));
  // Ports and bridges only carry frames; a gate alone speaks IPv6 itself.
  SOCKSWAP_CHECK(set_sysctl(lab, "net/ipv6/conf/default/disable_ipv6", "1"));
  if (topology == Topology::bridge) return run_ip(lab, bridge_line("switch") + "link set switch up\n");

  SOCKSWAP_CHECK(set_sysctl(lab, "net/ipv4/ip_forward", "1"));
  SOCKSWAP_CHECK(set_sysctl(lab, "net/ipv6/conf/all/forwarding", "1"));
  std::string gates;
  std::string addresses;
  for (std::size_t number = 1; number <= hosts; ++number) {
    const Place at = place(topology, number);
    gates += bridge_line(at.upstream);
    // A fixed MAC: a bridge's own would change with its ports, and the hosts' neighbour entries go stale.
    addresses += fmt::format(
        "link set {0} address 02:00:00:00:02:{1:02x}\nlink set {0} up\n"
        "address add {2}/24 dev {0}\naddress add {3}/64 dev {0} nodad\n",
        at.upstream, number, at.gateway_v4->text(), at.gateway_v6->text());
  }
  SOCKSWAP_CHECK(run_ip(lab, gates));
  for (std::size_t number = 1; number <= hosts; ++number) {
    const std::string settings = "net/ipv6/conf/" + place(topology, number).upstream;
    SOCKSWAP_CHECK(set_sysctl(lab, settings + "/disable_ipv6", "0"));
  }
  return run_ip(lab, addresses);
}

std::string host_network(const Place& place) {
  std::string script = fmt::format(
      "link set lo up\naddress add {}/24 dev eth0\naddress add {}/64 dev eth0 nodad\nlink set eth0 up\n",
      place.v4.text(), place.v6.text());
  if (place.gateway_v4)
    script += fmt::format("route add default via {}\nroute add default via {}\n", place.gateway_v4->text(),
                          place.gateway_v6->text());
  return script;
}

Result<> configure_host(NamespaceThread& host, const Place& place) {
  SOCKSWAP_CHECK(skip_address_detection(host));
  return run_ip(host, host_network(place));
}

}  // namespace sockswap::lab
