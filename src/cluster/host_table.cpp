#include "cluster/host_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace sockswap::cluster {
namespace {

constexpr std::size_t longest_name = 63;

Result<> check(const Host& host) {
  if (!is_host_name(host.name))
    return failure(ErrorCode::usage, fmt::format("'{}' is not a host name", host.name),
                   "use 1 to 63 of a-z, 0-9 and '-', with no '-' at either end");
  if (host.addresses.empty())
    return failure(ErrorCode::usage, fmt::format("host {} has no address", host.name));
  if (host.port == 0) return failure(ErrorCode::usage, fmt::format("host {} has port 0", host.name));
  for (const Address& address : host.addresses) {
    if (address.is_any())
      return failure(ErrorCode::usage,
                     fmt::format("host {}: {} is no host's address", host.name, address.text()));
    // Without an interface's name it can't be dialled, and it means another host on another link.
    if (!address.is_v4() && address.is_link_local())
      return failure(ErrorCode::usage, fmt::format("host {}: {} is link-local", host.name, address.text()),
                     "give the host a unique local or a global address");
  }
  return {};
}

}  // namespace

bool is_host_name(std::string_view text) {
  const auto allowed = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'; };
  return !text.empty() && text.size() <= longest_name && std::ranges::all_of(text, allowed) &&
         text.front() != '-' && text.back() != '-';
}

Result<> HostTable::add(Host host) {
  SOCKSWAP_CHECK(check(host));
  if (hosts_.contains(host.name))
    return failure(ErrorCode::usage, fmt::format("host {} is in the table already", host.name));
  std::map<Address, std::string> owned;
  for (const Address& address : host.addresses) {
    if (const Host* owner = host_of(address))
      return failure(ErrorCode::usage,
                     fmt::format("{} belongs to both {} and {}", address.text(), owner->name, host.name));
    if (!owned.emplace(address, host.name).second)
      return failure(ErrorCode::usage, fmt::format("host {} lists {} twice", host.name, address.text()));
  }
  owners_.merge(owned);
  std::string name = host.name;
  hosts_.emplace(std::move(name), std::move(host));
  return {};
}

const Host* HostTable::find(std::string_view name) const {
  const auto at = hosts_.find(name);
  return at == hosts_.end() ? nullptr : &at->second;
}

const Host* HostTable::host_of(const Address& address) const {
  const auto at = owners_.find(address);
  return at == owners_.end() ? nullptr : find(at->second);
}

}  // namespace sockswap::cluster
