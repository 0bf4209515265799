// Moves while somebody who is no host of the cluster floods the daemon of the staying end's host: against
// moves without, alternating.
#include <fmt/format.h>

#include <chrono>
#include <optional>
#include <thread>

#include "bench.h"
#include "mover.h"
#include "progress.h"
#include "records.h"
#include "statistics.h"

namespace sockswap::bench {
namespace {

constexpr std::uint16_t port = 5400;
constexpr int rounds = 5;
constexpr int warm_up = 20;
constexpr const char* kinds[] = {"connect", "garbage", "handshake"};

struct Figures {
  std::vector<double> pause, whole;
  double connections = 0, seconds = 0;
};

// From an address of delta's that hosts.toml doesn't have.
class Flood {
 public:
  Flood(lab::Cluster& cluster, const std::string& kind) : began_(std::chrono::steady_clock::now()) {
    auto started = cluster.host("delta").spawn(
        {.argv = {FLOODER, cluster.host("alpha").v4().text(), "7337", source(cluster), kind},
         .in = lab::Stdio::pipe(),
         .out = lab::Stdio::pipe()});
    if (!started) throw std::runtime_error(started.error().text());
    process_ = *std::move(started);
    std::this_thread::sleep_for(std::chrono::milliseconds(500));  // until it has all that it wants
  }
  static std::string source(lab::Cluster& cluster) { return cluster.host("delta").v4().text() + "0"; }

  void end(Figures& figures) {
    figures.seconds += std::chrono::duration<double>(std::chrono::steady_clock::now() - began_).count();
    auto output = process_->finish();
    if (!output || !output->status.ok()) throw std::runtime_error("the flood broke off");
    figures.connections += std::stod(output->out);
  }

 private:
  std::chrono::steady_clock::time_point began_;
  std::optional<lab::Process> process_;
};

lab::Cluster four_hosts() {
  lab::LabOptions options{.name = "bench", .hosts = {}};
  for (const char* name : {"alpha", "beta", "gamma", "delta"}) options.hosts.push_back({.name = name});
  auto cluster = lab::Cluster::start(options, SOCKSWAPD);
  if (!cluster) throw std::runtime_error(cluster.error().text() + " " + cluster.error().hint);
  auto& delta = cluster->host("delta");
  const auto added = delta.run({"ip", "address", "add", Flood::source(*cluster) + "/24", "dev", "eth0"});
  if (!added || !added->status.ok()) throw std::runtime_error("no further address for delta");
  return *std::move(cluster);
}

}  // namespace

Result<Json> flood(const Options& options) {
  lab::Cluster cluster = four_hosts();
  Mover mover(cluster);
  std::optional<lab::Process> requester;
  Fd fd = mover.accept(port, [&] {
    auto started = cluster.host("alpha").spawn(
        {.argv = {REQUESTER, cluster.host("beta").v4().text(), std::to_string(port)},
         .in = lab::Stdio::pipe()});
    if (started) requester = *std::move(started);
  });
  const int each = std::max(options.moves / (rounds * 2 * static_cast<int>(std::size(kinds))), 1);
  Progress progress("moves", warm_up + each * rounds * 2 * static_cast<int>(std::size(kinds)));
  std::size_t made = 0;
  const auto move = [&](int times) {
    for (int i = 0; i < times; ++i, ++made) {
      fd = mover.move(std::move(fd));
      progress.step();
    }
    mover.settle();
  };
  move(warm_up);
  Figures still;
  std::map<std::string, Figures> flooded;
  const auto measured = [&](Figures& figures) {
    const std::size_t before = made;
    move(each);
    std::vector<MoveTimes> moves = move_times(cluster);
    moves.erase(moves.begin(), moves.begin() + static_cast<std::ptrdiff_t>(before));
    for (const double pause : between(moves, "origin.freezing", "destination.thawed"))
      figures.pause.push_back(pause);
    for (const double whole : between(moves, "origin.asked", "origin.activated"))
      figures.whole.push_back(whole);
  };
  for (int round = 0; round < rounds; ++round) {
    for (const char* kind : kinds) {
      measured(still);
      Flood flood(cluster, kind);
      measured(flooded[kind]);
      flood.end(flooded[kind]);
    }
  }
  Json out{{"still", {{"pause_us", summary(still.pause)}, {"whole_move_us", summary(still.whole)}}}};
  for (const char* kind : kinds) {
    const Figures& figures = flooded[kind];
    out[kind] = Json{{"pause_us", summary(figures.pause)},
                     {"whole_move_us", summary(figures.whole)},
                     {"factor", median(figures.pause) / median(still.pause)},
                     {"connections_per_second", figures.connections / figures.seconds}};
  }
  return out;
}

}  // namespace sockswap::bench
