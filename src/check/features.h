// What this kernel, and the rights of this process, allow: each feature that a move needs is tried on
// sockets and child processes made for it. Nothing outlives the call; no packet leaves the host. Takes
// some tens of milliseconds. Any thread, but not beside a waitpid(-1) (see process/pause.h).
#pragma once

#include <string>
#include <vector>

namespace sockswap::check {

struct Feature {
  std::string name;  // "tcp-repair": never changes its meaning
  bool available = false;
  bool required = false;  // no move without it
  std::string reason;     // why it is not available; empty if it is
  std::string hint;       // what to do about that; may be empty
};

std::vector<Feature> probe_features();

}  // namespace sockswap::check
