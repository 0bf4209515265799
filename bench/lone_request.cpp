#include <sys/socket.h>

#include <stdexcept>

#include "bench.h"
#include "mover.h"
#include "pause_parts.h"
#include "progress.h"
#include "records.h"
#include "statistics.h"

namespace sockswap::bench {
namespace {

constexpr std::uint16_t port = 5300;
constexpr std::size_t request_bytes = 64;

void answer(const Fd& fd) {
  char request[request_bytes];
  if (::recv(fd.get(), request, sizeof request, MSG_WAITALL) != static_cast<ssize_t>(sizeof request) ||
      ::send(fd.get(), request, sizeof request, MSG_NOSIGNAL) != static_cast<ssize_t>(sizeof request))
    throw std::runtime_error("the request didn't arrive whole");
}

double milliseconds_said(lab::Process& requester) {
  auto line = requester.read_line();
  if (!line || !*line) throw std::runtime_error("the requester ended");
  return std::stod(**line) / 1e6;
}

}  // namespace

Result<Json> lone_request(const Options& options) {
  SOCKSWAP_TRY(const auto delay, lab::parse_duration(options.delay));
  lab::Cluster cluster = three_hosts({.delay = delay});
  Mover mover(cluster);
  std::optional<lab::Process> requester;
  Fd fd = mover.accept(port, [&] {
    auto started = cluster.host("alpha").spawn(
        {.argv = {REQUESTER, cluster.host("beta").v4().text(), std::to_string(port)},
         .in = lab::Stdio::pipe(),
         .out = lab::Stdio::pipe()});
    if (!started) throw std::runtime_error(started.error().text());
    requester = *std::move(started);
  });
  std::vector<double> still, moved, added;
  const int rounds = std::max(options.moves / 10, 1);
  Progress progress("rounds", rounds);
  for (int i = 0; i < rounds; ++i) {
    if (auto asked = requester->write("go\n"); !asked) return failure(std::move(asked).error());
    answer(fd);
    still.push_back(milliseconds_said(*requester));
    // When everything is agreed this end freezes, and the other one only when it has heard of it, two links
    // later: a request sent now is on the wire then, and is dropped at the frozen end.
    fd = mover.move(std::move(fd), [&](std::string_view step) {
      if (step == "agreed") (void)requester->write("go\n");
    });
    answer(fd);
    moved.push_back(milliseconds_said(*requester));
    added.push_back(moved.back() - still.back());
    mover.settle();
    progress.step();
  }
  const std::vector<MoveTimes> moves = move_times(cluster);
  std::vector<double> pause = between(moves, "origin.freezing", "destination.thawed");
  std::vector<double> whole = between(moves, "origin.asked", "origin.activated");
  for (double& value : pause) value /= 1000;
  for (double& value : whole) value /= 1000;
  return Json{{"answer_ms", summary(moved)},
              {"pause_ms", summary(pause)},
              {"answer_without_move_ms", summary(still)},
              {"added_ms", summary(added)},
              {"whole_move_ms", summary(whole)},
              {"parts_us", pause_parts(moves)},
              {"retransmission_timeout_ms", 200},
              {"link_delay_each_way_ms", std::chrono::duration<double, std::milli>(delay).count()}};
}

}  // namespace sockswap::bench
