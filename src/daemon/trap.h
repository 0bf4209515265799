// Traps, for tests: the process stops itself (SIGSTOP) at an instant of a move, so that whoever watches can
// do to it, or to another, what is to happen exactly then. sockswapd(8) has them as --trap.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace sockswap::daemon {

class Traps {
 public:
  // Each is ROLE:STEP (docs/protocol.md, section 6). usage if the role isn't one, or there is no step.
  static Result<Traps> parse(const std::vector<std::string>& texts);

  bool empty() const { return traps_.empty(); }
  // Of the given role in any move. Stops the process if a trap is set there; each trap does so once.
  void reached(std::string_view role, std::string_view step);

 private:
  struct Trap {
    std::string role, step;
  };
  std::vector<Trap> traps_;
};

}  // namespace sockswap::daemon
