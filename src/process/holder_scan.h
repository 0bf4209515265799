// One process asked at a time, for the tracer's last look round.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "process/holders.h"

namespace sockswap::process {

// Does it hold one of these sockets? `descriptors` then has its numbers for all of them. std::nullopt if
// not, or if it is gone.
Result<std::optional<Holder>> holder_among(pid_t pid, std::span<const std::uint32_t> inodes);

}  // namespace sockswap::process
