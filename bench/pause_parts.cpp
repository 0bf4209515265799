#include "pause_parts.h"

#include "statistics.h"

namespace sockswap::bench {
namespace {

// The pause's parts, in order: what happens, from which step to which.
constexpr struct {
  const char* name;
  const char* from;
  const char* to;
} parts[] = {
    {"origin_freezes_and_captures", "origin.freezing", "origin.frozen"},
    {"hold_travels", "origin.frozen", "peer.holding"},
    {"peer_pauses_programs", "peer.holding", "peer.paused"},
    {"peer_freezes_and_captures", "peer.paused", "peer.held"},
    {"held_travels", "peer.held", "origin.held"},
    {"deliver_travels", "origin.delivered", "destination.delivered"},
    {"destination_rebuilds", "destination.delivered", "destination.rebuilt"},
    {"commit_waits_for_ready", "origin.held", "origin.deciding"},
    {"swap_travels", "origin.deciding", "peer.swapping"},
    {"peer_repoints", "peer.swapping", "peer.repointed"},
    {"swapped_travels", "peer.repointed", "destination.letting go"},
    {"destination_thaws", "destination.letting go", "destination.thawed"},
    {"besides_peer_resumes", "peer.repointed", "peer.swapped"},
};

}  // namespace

Json pause_parts(const std::vector<MoveTimes>& moves) {
  Json out;
  for (const auto& part : parts) out[part.name] = summary(between(moves, part.from, part.to));
  return out;
}

}  // namespace sockswap::bench
