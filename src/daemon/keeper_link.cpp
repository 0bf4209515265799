#include "daemon/keeper_link.h"

#include <fmt/format.h>

#include <chrono>
#include <thread>

#include "base/log.h"
#include "keep/launch.h"

namespace sockswap::daemon {
namespace {

// A predecessor that was killed is gone for the keeper when the kernel has closed its descriptors.
constexpr std::chrono::milliseconds patience_with_predecessor{1000};
constexpr std::chrono::milliseconds retry_interval{10};

Result<std::filesystem::path> beside_this_program() {
  std::error_code error;
  const auto self = std::filesystem::read_symlink("/proc/self/exe", error);
  if (error) return failure(ErrorCode::internal, "read /proc/self/exe: " + error.message());
  return self.parent_path() / "sockswap-keeper";
}

Result<> start(const KeeperSettings& settings) {
  std::filesystem::path program = settings.program;
  if (program.empty()) {
    SOCKSWAP_TRY(program, beside_this_program());
  }
  SOCKSWAP_TRY(const Fd listener, keep::listen_at(settings.run / "keeper.sock"));
  auto started = keep::start_keeper(
      program,
      {"--config", std::filesystem::absolute(settings.config), "--run",
       std::filesystem::absolute(settings.run), "--log-level", settings.log_level, "--transient"},
      listener);
  if (started) return {};
  Error error = std::move(started).error();
  error.hint = "sockswap-keeper belongs beside sockswapd; --keeper says where else it is";
  return failure(std::move(error));
}

}  // namespace

Result<keep::Client> reach_keeper(const KeeperSettings& settings) {
  const std::filesystem::path path = settings.run / "keeper.sock";
  const auto until = std::chrono::steady_clock::now() + patience_with_predecessor;
  for (bool started = false;;) {
    auto client = keep::Client::connect(path);
    if (client) return client;
    const ErrorCode code = client.error().code;
    if (code == ErrorCode::no_daemon && !started) {
      SOCKSWAP_CHECK(start(settings));
      started = true;
      continue;
    }
    if (code != ErrorCode::busy || std::chrono::steady_clock::now() > until) return client;
    std::this_thread::sleep_for(retry_interval);
  }
}

}  // namespace sockswap::daemon
