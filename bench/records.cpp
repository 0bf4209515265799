#include "records.h"

#include <algorithm>
#include <stdexcept>

#include "client/connection.h"

namespace sockswap::bench {
namespace {

wire::Moves moves_of(lab::Host& host) {
  auto connection =
      host.inside([] { return client::ControlConnection::connect("/run/sockswap/control.sock"); });
  if (!connection) throw std::runtime_error(connection.error().text());
  wire::Request request = connection->request();
  request.mutable_list_moves();
  if (auto sent = connection->send(request); !sent) throw std::runtime_error(sent.error().text());
  auto answer = connection->receive(client::never);
  if (!answer) throw std::runtime_error(answer.error().text());
  if (!*answer) throw std::runtime_error("the daemon gave no list of moves");
  return (*answer)->reply.moves();
}

}  // namespace

std::vector<MoveTimes> move_times(lab::Cluster& cluster) {
  std::map<std::string, MoveTimes> by_id;
  for (const auto& host : cluster.lab().hosts()) {
    const wire::Moves list = moves_of(*host);
    for (const wire::Moves::Record& record : list.moves())
      for (const wire::Step& step : record.steps())
        by_id[record.move_id()][record.role() + "." + step.name()] =
            static_cast<double>(record.began_unix_us()) + step.at_us();
  }
  std::vector<MoveTimes> moves;
  for (auto& [id, times] : by_id) moves.push_back(std::move(times));
  std::ranges::sort(moves, {}, [](const MoveTimes& times) { return times.at("origin.asked"); });
  return moves;
}

std::vector<double> between(const std::vector<MoveTimes>& moves, const std::string& from,
                            const std::string& to) {
  std::vector<double> out;
  for (const MoveTimes& times : moves)
    if (const auto begin = times.find(from), end = times.find(to); begin != times.end() && end != times.end())
      out.push_back(end->second - begin->second);
  return out;
}

}  // namespace sockswap::bench
