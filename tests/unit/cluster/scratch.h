// A folder that goes when the test does, and values that must be right.
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <string>

#include "base/endpoint.h"
#include "cluster/host_table.h"

namespace sockswap::cluster {

class Scratch {
 public:
  Scratch() {
    std::string pattern = (std::filesystem::temp_directory_path() / "sockswap-test.XXXXXX").native();
    if (::mkdtemp(pattern.data()) == nullptr) std::abort();
    path_ = pattern;
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  ~Scratch() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

inline Address address(std::string_view text) { return Address::parse(text).value(); }

inline Host host(std::string name, std::initializer_list<std::string_view> addresses,
                 std::uint16_t port = default_port) {
  Host out{.name = std::move(name), .addresses = {}, .port = port};
  for (const std::string_view text : addresses) out.addresses.push_back(address(text));
  return out;
}

}  // namespace sockswap::cluster
