#include "move/id.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace sockswap::move {

std::optional<MoveId> MoveId::from_bytes(std::string_view bytes) {
  MoveId id;
  if (bytes.size() != id.octets.size()) return std::nullopt;
  std::copy(bytes.begin(), bytes.end(), id.octets.begin());
  return id;
}

std::string MoveId::bytes() const { return {octets.begin(), octets.end()}; }

std::string MoveId::text() const { return fmt::format("{:02x}", fmt::join(octets, "")); }

}  // namespace sockswap::move
