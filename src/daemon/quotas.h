// What the programs of one user may have here, root's excepted: a daemon that one of them filled would keep
// everybody's connections from moving. (docs/protocol.md names these limits.)
#pragma once

#include <cstddef>

namespace sockswap::daemon::quota {

inline constexpr std::size_t programs = 256;                         // control connections at once
inline constexpr std::size_t names = 64;                             // as receivers, each program
inline constexpr std::size_t parked_ends = 4096;                     // under all tickets together
inline constexpr std::size_t parked_state = std::size_t{256} << 20;  // bytes, likewise

}  // namespace sockswap::daemon::quota
