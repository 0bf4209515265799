#include "bench.h"
#include "floor.h"
#include "mover.h"
#include "records.h"
#include "statistics.h"

namespace sockswap::bench {
namespace {

constexpr std::uint16_t port = 5100;
constexpr int warm_up = 20;

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
    {"commit_waits_for_ready", "origin.held", "origin.committed"},
    {"swap_travels", "origin.committed", "peer.swapping"},
    {"peer_repoints", "peer.swapping", "peer.repointed"},
    {"swapped_travels", "peer.repointed", "destination.letting go"},
    {"destination_thaws", "destination.letting go", "destination.thawed"},
    {"besides_peer_resumes", "peer.repointed", "peer.swapped"},
};

}  // namespace

Result<Json> idle(const Options& options) {
  lab::Cluster cluster = three_hosts();
  Mover mover(cluster);
  std::optional<lab::Process> requester;
  Fd fd = mover.accept(port, [&] {
    auto started = cluster.host("alpha").spawn(
        {.argv = {REQUESTER, cluster.host("beta").v4().text(), std::to_string(port)},
         .in = lab::Stdio::pipe()});
    if (started) requester = *std::move(started);
  });
  for (int i = 0; i < warm_up + options.moves; ++i) fd = mover.move(std::move(fd));

  std::vector<MoveTimes> moves = move_times(cluster);
  moves.erase(moves.begin(), moves.begin() + warm_up);
  const std::vector<double> pause = between(moves, "origin.freezing", "destination.thawed");
  const std::vector<double> staying = between(moves, "peer.holding", "peer.swapped");
  const Floor floor = measure_floor(options.moves);

  Json out{{"pause_us", summary(pause)}, {"floor_us", summary(floor.kernel_us)}};
  out["engine_us"] = summary(floor.engine_us);
  out["own_share_us"] = Json{{"p50", median(pause) - median(floor.kernel_us)}};
  out["staying_end_pause_us"] = summary(staying);
  out["whole_move_us"] = summary(between(moves, "origin.asked", "origin.activated"));
  out["system_calls_a_move"] = floor.calls;
  for (const auto& part : parts) out["parts_us"][part.name] = summary(between(moves, part.from, part.to));
  return out;
}

}  // namespace sockswap::bench
