// Who holds sockets, sockswap's own processes left out.
#pragma once

#include <unistd.h>

#include <algorithm>

#include "keeper/environment.h"
#include "process/holders.h"

namespace sockswap::keeper {

inline void leave_out_ours(const Environment& environment, std::vector<process::Holder>& holders) {
  std::erase_if(holders, [&](const process::Holder& holder) {
    return holder.pid == ::getpid() || holder.pid == environment.daemon;
  });
}

inline Result<process::Holders> holders_of(const Environment& environment,
                                           std::span<const std::uint32_t> inodes) {
  SOCKSWAP_TRY(process::Holders holders, process::find_holders(inodes, ::getpid()));
  for (auto& [inode, held_by] : holders) leave_out_ours(environment, held_by);
  return holders;
}

}  // namespace sockswap::keeper
