// The moves of this host, running and past, as `sockswap moves` shows them. The last 4,096 are kept.
#pragma once

#include <chrono>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/endpoint.h"
#include "base/error.h"
#include "move/id.h"

namespace sockswap::daemon {

struct MoveRecord {
  struct Step {
    std::string_view name;        // a literal
    std::chrono::nanoseconds at;  // since `began`
  };

  MoveRecord(move::MoveId move_id, std::string_view in_role)
      : id(move_id), role(in_role), began(std::chrono::steady_clock::now()) {}

  // Notes that a step has been reached now, or was a moment ago.
  const Step& step(std::string_view name,
                   std::chrono::steady_clock::time_point when = std::chrono::steady_clock::now());
  // Time from one step to another; zero unless both have been reached.
  std::chrono::nanoseconds between(std::string_view from, std::string_view to) const;

  move::MoveId id;
  std::string_view role;   // origin, destination, peer
  std::string_view state;  // of the role's machine
  std::string origin;
  std::string destination;
  std::string receiver;
  std::vector<FourTuple> ends;  // as they were before, seen from this role
  std::vector<Step> steps;
  std::optional<Error> error;
  std::chrono::steady_clock::time_point began;
  std::chrono::system_clock::time_point began_at = std::chrono::system_clock::now();
  std::function<void(std::string_view role, std::string_view step)> on_step;
};

class History {
 public:
  // Called when a role of any move has reached a step.
  std::function<void(std::string_view role, std::string_view step)> on_step;

  std::shared_ptr<MoveRecord> begin(move::MoveId id, std::string_view role);
  // Was this one of this host's ends in a move that it remembers, before that move?
  bool had(const FourTuple& tuple) const;
  const std::deque<std::shared_ptr<MoveRecord>>& records() const { return records_; }  // oldest first

 private:
  std::deque<std::shared_ptr<MoveRecord>> records_;
};

}  // namespace sockswap::daemon
