// Which of this host's connections are meant.
#pragma once

#include <sys/types.h>

#include <optional>

#include "base/result.h"
#include "cli/data.h"

namespace sockswap::cli {

// What is not set lets every connection through.
struct Filter {
  std::optional<pid_t> pid;           // held by that process
  std::optional<std::uint16_t> port;  // at either end
  std::optional<std::string> peer;    // the other end's host

  bool matches(const Connection& connection) const;
};

bool holds(pid_t pid, const Connection& connection);

// The one movable connection of a process; if it has several or none the error says which and why.
Result<FourTuple> only_movable_of(pid_t pid, const ConnectionList& list);

}  // namespace sockswap::cli
