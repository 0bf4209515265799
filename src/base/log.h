// Logging to stderr through spdlog: `log::info("moved {}", id)`. Talk goes to stderr, data to stdout.
#pragma once

#include <spdlog/spdlog.h>

#include <string_view>

namespace sockswap::log {

using spdlog::debug;
using spdlog::error;
using spdlog::info;
using spdlog::warn;

// Called once, before any thread: `program` is the prefix of each line, `level` one of
// debug, info, warn, error, off. Under systemd the journal adds the time, so none is printed.
void set_up(std::string_view program, std::string_view level);

}  // namespace sockswap::log
