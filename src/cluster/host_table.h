// Who belongs to the cluster: names, addresses, ports. Every host holds the same hosts.toml:
//
//   [hosts.alpha]
//   addresses = ["10.0.0.1", "fd00::1"]
//   port = 7337
//
// Invariants: names are valid, every host has an address, no address belongs to two hosts. A value;
// const use from several threads is safe.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/endpoint.h"
#include "base/result.h"

namespace sockswap::cluster {

inline constexpr std::uint16_t default_port = 7337;

// A DNS label in lower case (RFC 1123): 1 to 63 of a–z, 0–9 and '-', with no '-' at either end. It is
// also a folder's name and a certificate's, so nothing wider is let in.
bool is_host_name(std::string_view text);

struct Host {
  std::string name;
  std::vector<Address> addresses;  // dialled in this order
  std::uint16_t port = default_port;

  bool operator==(const Host&) const = default;
};

class HostTable {
 public:
  // `file` is what errors call the text: "hosts.toml:3: …".
  static Result<HostTable> parse(std::string_view text, std::string_view file = "hosts.toml");
  static Result<HostTable> load(const std::filesystem::path& file);

  // Refuses whatever would break an invariant, and then leaves the table as it was.
  Result<> add(Host host);

  const Host* find(std::string_view name) const;
  const Host* host_of(const Address& address) const;
  const std::map<std::string, Host, std::less<>>& hosts() const { return hosts_; }

  std::string text() const;  // what parse() reads
  // Puts a new file in the place of the old one in one step.
  Result<> save(const std::filesystem::path& file) const;

 private:
  std::map<std::string, Host, std::less<>> hosts_;
  std::map<Address, std::string> owners_;
};

}  // namespace sockswap::cluster
