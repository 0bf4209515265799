#include "demo/receiver_log.h"

#include <csignal>
#include <nlohmann/json.hpp>

namespace sockswap::demo {

ReceiverLog::~ReceiverLog() {
  for (auto& source : sources_) {
    // Its end closes the pipe, and with that its reader comes to an end.
    (void)source->process.kill(SIGKILL);
    source->reader.join();
  }
}

void ReceiverLog::add(std::string host, lab::Process process, std::chrono::nanoseconds clock_ahead) {
  Source& source = *sources_.emplace_back(
      std::make_unique<Source>(Source{std::move(host), std::move(process), clock_ahead, {}}));
  source.reader = std::thread([this, &source] { read(source); });
}

void ReceiverLog::read(Source& source) {
  constexpr std::chrono::hours for_ever{24};
  for (;;) {
    auto line = source.process.read_line(for_ever);
    if (!line || !*line) return;
    const auto json = nlohmann::json::parse(**line, nullptr, false);
    if (json.is_discarded()) continue;
    const std::lock_guard lock(mutex_);
    events_.push_back({.host = source.host,
                       .name = json.value("event", ""),
                       .at_ns = json.value("at_ns", std::int64_t{0}) - source.clock_ahead.count(),
                       .bytes = json.value("bytes", std::uint64_t{0}),
                       .last_byte_ns = json.value("last_byte_ns", std::int64_t{0}),
                       .sha256 = json.value("sha256", "")});
    changed_.notify_all();
  }
}

}  // namespace sockswap::demo
