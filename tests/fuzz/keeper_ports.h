// Of the connection that the keeper's target has with a program, over 127.0.0.1, in a network of its own: its
// seeds name it.
#pragma once

#include <cstdint>

namespace sockswap::fuzz {

inline constexpr std::uint16_t our_port = 7001;
inline constexpr std::uint16_t program_port = 7002;

}  // namespace sockswap::fuzz
