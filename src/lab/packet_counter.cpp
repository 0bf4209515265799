#include "lab/packet_counter.h"

#include <fmt/format.h>

#include <atomic>
#include <nlohmann/json.hpp>

#include "lab/tool.h"

namespace sockswap::lab {

PacketFilter PacketFilter::segments(const Endpoint& from, const Endpoint& to) {
  return {.source = from.address,
          .destination = to.address,
          .source_port = from.port,
          .destination_port = to.port,
          .flag = {},
          .direction = Direction::both};
}

Result<std::string> PacketFilter::rule() const {
  if (source && destination && source->is_v4() != destination->is_v4())
    return failure(ErrorCode::usage, "no packet has addresses of two families");
  const auto family = [](const Address& address) { return address.is_v4() ? "ip" : "ip6"; };
  std::string rule = "meta l4proto tcp";
  if (source) rule += fmt::format(" {} saddr {}", family(*source), source->text());
  if (destination) rule += fmt::format(" {} daddr {}", family(*destination), destination->text());
  if (source_port) rule += fmt::format(" tcp sport {}", *source_port);
  if (destination_port) rule += fmt::format(" tcp dport {}", *destination_port);
  if (flag) rule += fmt::format(" tcp flags & {0:#x} == {0:#x}", static_cast<unsigned>(*flag));
  return rule;
}

struct PacketCounter::Table {
  std::weak_ptr<NamespaceThread> host;  // gone when the host is off, and the rules with it
  std::string name;

  ~Table() {
    if (const auto at = host.lock()) (void)run_nft(*at, fmt::format("delete table netdev {}\n", name));
  }
};

Result<PacketCounter> PacketCounter::start(const std::shared_ptr<NamespaceThread>& host,
                                           const PacketFilter& filter) {
  static std::atomic<unsigned> made{0};
  const std::string table = fmt::format("count-{}", ++made);
  SOCKSWAP_TRY(const std::string rule, filter.rule());
  std::string chains;
  for (const auto& [direction, hook] : {std::pair{Direction::in, "ingress"}, {Direction::out, "egress"}})
    if (filter.direction == Direction::both || filter.direction == direction)
      chains += fmt::format(
          "chain {0} {{ type filter hook {0} device eth0 priority -500;\n{1} counter name seen\n}}\n", hook,
          rule);
  SOCKSWAP_CHECK(run_nft(*host, fmt::format("table netdev {} {{\ncounter seen {{}}\n{}}}\n", table, chains)));
  return PacketCounter(std::shared_ptr<Table>(new Table{host, table}));
}

Result<std::uint64_t> PacketCounter::packets() const { return counted("packets"); }
Result<std::uint64_t> PacketCounter::bytes() const { return counted("bytes"); }

Result<std::uint64_t> PacketCounter::counted(const char* what) const {
  const auto host = table_->host.lock();
  if (!host) return failure(ErrorCode::unreachable, "the host on which packets were counted is off");
  SOCKSWAP_TRY(const std::string text,
               run_tool(*host, {"nft", "-j", "list", "counter", "netdev", table_->name, "seen"}));
  const auto json = nlohmann::json::parse(text, nullptr, false);
  if (!json.is_discarded() && json.contains("nftables"))
    for (const auto& object : json["nftables"])
      if (object.contains("counter")) return object["counter"][what].get<std::uint64_t>();
  return failure(ErrorCode::internal, "nft shows no counter in table " + table_->name);
}

}  // namespace sockswap::lab
