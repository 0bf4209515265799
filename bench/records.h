// What the daemons say of the moves they took part in (`sockswap moves`), brought onto one clock: lab hosts
// share the machine's.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "lab/cluster.h"

namespace sockswap::bench {

// Times in µs of the machine's clock, by "ROLE.STEP": "origin.freezing", "peer.held", "destination.thawed" …
using MoveTimes = std::map<std::string, double>;

// The finished moves of all three hosts, oldest first.
std::vector<MoveTimes> move_times(lab::Cluster& cluster);

// Differences of two steps over all moves that have both.
std::vector<double> between(const std::vector<MoveTimes>& moves, const std::string& from,
                            const std::string& to);

}  // namespace sockswap::bench
