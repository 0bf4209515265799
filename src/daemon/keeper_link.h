// How this daemon gets to its keeper: one that runs, from before this daemon or as a service, or else one
// that it starts.
#pragma once

#include <filesystem>
#include <string>

#include "base/result.h"
#include "keep/client.h"

namespace sockswap::daemon {

struct KeeperSettings {
  std::filesystem::path config;
  std::filesystem::path run;
  std::filesystem::path program;  // empty: sockswap-keeper in this program's own folder
  std::string log_level;
};

// As root, and before there are threads.
Result<keep::Client> reach_keeper(const KeeperSettings& settings);

}  // namespace sockswap::daemon
