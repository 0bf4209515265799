#include "bench.h"
#include "floor.h"
#include "mover.h"
#include "pause_parts.h"
#include "progress.h"
#include "records.h"
#include "statistics.h"

namespace sockswap::bench {
namespace {

constexpr std::uint16_t port = 5100;
constexpr int warm_up = 20;

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
  Progress progress("moves", warm_up + options.moves);
  for (int i = 0; i < warm_up + options.moves; ++i) {
    fd = mover.move(std::move(fd));
    progress.step();
  }
  mover.settle();

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
  out["parts_us"] = pause_parts(moves);
  return out;
}

}  // namespace sockswap::bench
