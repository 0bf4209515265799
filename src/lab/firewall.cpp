#include "lab/firewall.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <nlohmann/json.hpp>

#include "lab/tool.h"

namespace sockswap::lab {
namespace {

constexpr const char* loose_key = "net/netfilter/nf_conntrack_tcp_loose";
constexpr const char* liberal_key = "net/netfilter/nf_conntrack_tcp_be_liberal";

std::string script(Firewall::Place place, const FirewallRules& rules) {
  std::string begins = "ct state new meta l4proto tcp";
  if (rules.only_syn_is_new) begins += " tcp flags & (fin | syn | rst | ack) == syn";
  if (!rules.open_ports.empty())
    begins += fmt::format(" tcp dport {{ {} }}", fmt::join(rules.open_ports, ", "));
  const std::string chain = fmt::format(
      "ct state established,related accept\n"
      "ct state invalid counter name dropped drop\n"
      "iif lo accept\nmeta l4proto {{ icmp, icmpv6 }} accept\n{} accept\ncounter name dropped drop\n",
      begins);
  if (place == Firewall::Place::router)
    return fmt::format("chain through {{ type filter hook forward priority 0;\n{}}}\n", chain);
  // What goes out is let go, and known from then on.
  return fmt::format(
      "chain in {{ type filter hook input priority 0;\n{}}}\n"
      "chain out {{ type filter hook output priority 0;\nct state invalid counter name dropped drop\n}}\n",
      chain);
}

std::string_view flag(bool on) { return on ? "1" : "0"; }

}  // namespace

struct Firewall::Table {
  std::weak_ptr<NamespaceThread> where;

  ~Table() {
    if (const auto at = where.lock()) (void)run_nft(*at, "delete table inet firewall\n");
  }
  Result<> set(const char* key, bool on) const {
    const auto at = where.lock();
    if (!at) return failure(ErrorCode::unreachable, "the host that had the firewall is off");
    return set_sysctl(*at, key, flag(on));
  }
};

Result<Firewall> Firewall::start(const std::shared_ptr<NamespaceThread>& where, Place place,
                                 const FirewallRules& rules) {
  SOCKSWAP_CHECK(run_nft(
      *where, fmt::format("table inet firewall {{\ncounter dropped {{}}\n{}}}\n", script(place, rules))));
  Firewall firewall(std::shared_ptr<Table>(new Table{where}));
  SOCKSWAP_CHECK(firewall.set_loose(rules.loose));
  SOCKSWAP_CHECK(firewall.set_liberal(rules.liberal));
  return firewall;
}

Result<> Firewall::set_loose(bool loose) { return table_->set(loose_key, loose); }
Result<> Firewall::set_liberal(bool liberal) { return table_->set(liberal_key, liberal); }

Result<std::uint64_t> Firewall::dropped() const {
  const auto where = table_->where.lock();
  if (!where) return failure(ErrorCode::unreachable, "the host that had the firewall is off");
  SOCKSWAP_TRY(const std::string text,
               run_tool(*where, {"nft", "-j", "list", "counter", "inet", "firewall", "dropped"}));
  const auto json = nlohmann::json::parse(text, nullptr, false);
  if (!json.is_discarded() && json.contains("nftables"))
    for (const auto& object : json["nftables"])
      if (object.contains("counter")) return object["counter"]["packets"].get<std::uint64_t>();
  return failure(ErrorCode::internal, "nft shows no counter of the firewall");
}

}  // namespace sockswap::lab
