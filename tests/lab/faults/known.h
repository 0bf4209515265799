// Cases that fail, and why. Each must fail: one that passes is to be taken off.
#pragma once

#include <map>
#include <string>

namespace sockswap::faults {

inline const std::map<std::string, std::string>& known_failures() {
  static const std::map<std::string, std::string> known{};
  return known;
}

}  // namespace sockswap::faults
