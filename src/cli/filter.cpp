#include "cli/filter.h"

#include <fmt/format.h>

#include <algorithm>

namespace sockswap::cli {

bool holds(pid_t pid, const Connection& connection) {
  return std::ranges::any_of(connection.processes, [&](const Process& it) { return it.pid == pid; });
}

bool Filter::matches(const Connection& connection) const {
  const FourTuple& tuple = connection.tuple;
  return (!pid || holds(*pid, connection)) &&
         (!port || tuple.local.port == *port || tuple.remote.port == *port) &&
         (!peer || connection.peer == *peer);
}

Result<FourTuple> only_movable_of(pid_t pid, const ConnectionList& list) {
  std::vector<FourTuple> found;
  for (const Connection& connection : list.connections)
    if (connection.movable() && holds(pid, connection)) found.push_back(connection.tuple);
  if (found.size() == 1) return found.front();
  if (found.empty())
    return failure(ErrorCode::not_found, fmt::format("process {} has no connection that can be moved", pid),
                   fmt::format("`sockswap ls --all --pid {}` says why", pid));

  constexpr std::size_t most_named = 8;
  std::string names;
  for (std::size_t i = 0; i < std::min(found.size(), most_named); ++i) names += " " + found[i].text();
  if (found.size() > most_named)
    names += fmt::format(" and {} more (`sockswap ls --pid {}`)", found.size() - most_named, pid);
  return failure(ErrorCode::usage,
                 fmt::format("process {} has {} connections that can be moved", pid, found.size()),
                 "name one of them:" + names);
}

}  // namespace sockswap::cli
