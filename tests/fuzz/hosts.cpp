// hosts.toml. What is read is a sound table, and is read again from what is written.
#include <set>

#include "cluster/host_table.h"
#include "input.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sockswap;
  using namespace sockswap::fuzz;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto table = cluster::HostTable::parse(text);
  if (!table) {
    require(!table.error().message.empty(), "an error says something");
    return 0;
  }
  std::set<Address> seen;
  for (const auto& [name, host] : table->hosts()) {
    require(name == host.name && cluster::is_host_name(name), "a host's name is one");
    require(host.port != 0 && !host.addresses.empty(), "a host can be dialled");
    for (const Address& address : host.addresses) {
      require(seen.insert(address).second, "no address belongs to two");
      const cluster::Host* owner = table->host_of(address);
      require(owner != nullptr && owner->name == name, "an address leads to its host");
    }
  }
  const std::string written = table->text();
  const auto again = cluster::HostTable::parse(written);
  require(again && again->text() == written && again->hosts().size() == table->hosts().size(),
          "the table survives its file");
  return 0;
}
