#include "daemon/trap.h"

#include <fmt/format.h>

#include <algorithm>
#include <csignal>

#include "base/log.h"

namespace sockswap::daemon {

Result<Traps> Traps::parse(const std::vector<std::string>& texts) {
  Traps traps;
  for (const std::string& text : texts) {
    const auto colon = std::min(text.find(':'), text.size());
    const std::string role = text.substr(0, colon);
    const std::string step = colon == text.size() ? "" : text.substr(colon + 1);
    if ((role != "origin" && role != "destination" && role != "peer") || step.empty())
      return failure(ErrorCode::usage, fmt::format("'{}' is no trap", text),
                     "ROLE:STEP, with the names that `sockswap moves` shows, such as peer:held");
    traps.traps_.push_back({role, step});
  }
  return traps;
}

void Traps::reached(std::string_view role, std::string_view step) {
  const auto sprung =
      std::ranges::find_if(traps_, [&](const Trap& trap) { return trap.role == role && trap.step == step; });
  if (sprung == traps_.end()) return;
  traps_.erase(sprung);
  log::warn("trap: {} has reached '{}', and stops", role, step);
  ::raise(SIGSTOP);
}

}  // namespace sockswap::daemon
