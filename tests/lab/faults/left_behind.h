// What a move has left on a host, found by looking at the kernel, not by asking sockswap.
#pragma once

#include <string>
#include <vector>

#include "lab/host.h"

namespace sockswap::faults {

// Complaints: processes that are stopped, TCP sockets in repair mode or behind a filter, TCP sockets that a
// sockswap-keeper holds. Empty for a host at rest.
std::vector<std::string> left_behind(const lab::Host& host);

// The same, and its parts in moves that aren't over, which `sockswap moves` (its path) shows.
std::vector<std::string> unsettled(lab::Host& host, const std::string& sockswap);

// Does the process stand stopped by a signal (state T)? False if it is gone.
bool is_stopped(pid_t pid);

// That host's sockswap-keeper; -1 if none runs.
pid_t keeper_of(const lab::Host& host);

}  // namespace sockswap::faults
