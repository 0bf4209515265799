// The name of a move: 128 random bits, made by its origin.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace sockswap::move {

struct MoveId {
  std::array<std::uint8_t, 16> octets{};

  static std::optional<MoveId> from_bytes(std::string_view bytes);  // exactly 16
  std::string bytes() const;
  std::string text() const;  // 32 hex digits
  auto operator<=>(const MoveId&) const = default;
};

}  // namespace sockswap::move
