// hosts.toml to and from a HostTable.
#define TOML_EXCEPTIONS 0
#define TOML_HEADER_ONLY 1
#define TOML_ENABLE_FORMATTERS 0
#include <fmt/format.h>
#include <toml++/toml.h>

#include <limits>

#include "cluster/files.h"
#include "cluster/host_table.h"

namespace sockswap::cluster {
namespace {

class Reader {
 public:
  explicit Reader(std::string_view file) : file_(file) {}

  Result<HostTable> table(const toml::table& root) const {
    HostTable out;
    for (const auto& [key, node] : root) {
      if (key.str() != "hosts") return bad(key.source(), fmt::format("unknown key '{}'", key.str()));
      if (!node.is_table()) return bad(node.source(), "'hosts' must be a table: [hosts.NAME]");
      for (const auto& [name, entry] : *node.as_table()) {
        SOCKSWAP_TRY(Host read, host(name.str(), entry));
        if (auto added = out.add(std::move(read)); !added)
          return bad(entry.source(), std::move(added).error());
      }
    }
    return out;
  }

 private:
  Result<Host> host(std::string_view name, const toml::node& node) const {
    if (!node.is_table())
      return bad(node.source(), fmt::format("'{}' must be a table: [hosts.{}]", name, name));
    Host out{.name = std::string(name), .addresses = {}};
    for (const auto& [key, value] : *node.as_table()) {
      if (key.str() == "addresses") {
        SOCKSWAP_TRY(out.addresses, addresses(value));
      } else if (key.str() == "port") {
        SOCKSWAP_TRY(out.port, port(value));
      } else {
        return bad(key.source(), fmt::format("host {}: unknown key '{}'", name, key.str()));
      }
    }
    return out;
  }

  Result<std::vector<Address>> addresses(const toml::node& node) const {
    const toml::array* list = node.as_array();
    if (list == nullptr) return bad(node.source(), "'addresses' must be a list of strings");
    std::vector<Address> out;
    for (const toml::node& element : *list) {
      const auto text = element.value_exact<std::string_view>();
      if (!text) return bad(element.source(), "'addresses' must be a list of strings");
      auto address = Address::parse(*text);
      if (!address) return bad(element.source(), std::move(address).error());
      out.push_back(*address);
    }
    return out;
  }

  Result<std::uint16_t> port(const toml::node& node) const {
    const auto value = node.value_exact<std::int64_t>();
    if (!value || *value < 1 || *value > std::numeric_limits<std::uint16_t>::max())
      return bad(node.source(), "'port' must be a number from 1 to 65535");
    return static_cast<std::uint16_t>(*value);
  }

  tl::unexpected<Error> bad(const toml::source_region& where, Error error) const {
    error.message = fmt::format("{}:{}: {}", file_, where.begin.line, error.message);
    return failure(std::move(error));
  }
  tl::unexpected<Error> bad(const toml::source_region& where, std::string message) const {
    return bad(where, Error{.code = ErrorCode::usage, .message = std::move(message), .hint = {}});
  }

  std::string_view file_;
};

}  // namespace

Result<HostTable> HostTable::parse(std::string_view text, std::string_view file) {
  const toml::parse_result parsed = toml::parse(text);
  if (!parsed)
    return failure(ErrorCode::usage, fmt::format("{}:{}: {}", file, parsed.error().source().begin.line,
                                                 parsed.error().description()));
  return Reader(file).table(parsed.table());
}

Result<HostTable> HostTable::load(const std::filesystem::path& file) {
  SOCKSWAP_TRY(const std::string text, read_file(file));
  return parse(text, file.native());
}

std::string HostTable::text() const {
  std::string out = "# The hosts of the cluster. Each of them needs the same copy of this file.\n";
  for (const auto& [name, host] : hosts_) {
    out += fmt::format("\n[hosts.{}]\naddresses = [", name);
    for (std::size_t i = 0; i < host.addresses.size(); ++i)
      out += fmt::format("{}\"{}\"", i == 0 ? "" : ", ", host.addresses[i].text());
    out += fmt::format("]\nport = {}\n", host.port);
  }
  return out;
}

Result<> HostTable::save(const std::filesystem::path& file) const {
  return write_file(file, text(), public_mode, Existing::replace);
}

}  // namespace sockswap::cluster
