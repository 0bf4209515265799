#include "base/log.h"

#include <spdlog/sinks/stdout_sinks.h>

#include <cstdlib>

namespace sockswap::log {

void set_up(std::string_view program, std::string_view level) {
  auto logger = std::make_shared<spdlog::logger>(std::string(program),
                                                 std::make_shared<spdlog::sinks::stderr_sink_mt>());
  const bool under_systemd = std::getenv("JOURNAL_STREAM") != nullptr;
  logger->set_pattern(under_systemd ? "%l: %v" : "%Y-%m-%dT%H:%M:%S.%f %n %l: %v");
  logger->set_level(spdlog::level::from_str(std::string(level)));
  spdlog::set_default_logger(std::move(logger));
}

}  // namespace sockswap::log
