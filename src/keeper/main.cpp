// sockswap-keeper: the privileged half of sockswapd. It keeps what moves have changed in the kernel.
#include <fmt/format.h>
#include <malloc.h>

#include <CLI/CLI.hpp>
#include <csignal>
#include <cstdio>

#include "base/log.h"
#include "keeper/server.h"

namespace {

// A full queue has megabytes, is copied while its end stands still, and would get fresh pages from the kernel
// for each copy: faulting those in takes longer than the copying. So what was freed is kept for the next one.
void keep_memory() {
  constexpr int most_kept = 64 << 20;
  ::mallopt(M_MMAP_THRESHOLD, most_kept / 2);
  ::mallopt(M_TRIM_THRESHOLD, most_kept);
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("sockswap-keeper does what sockswapd has no rights to, and outlives it.", "sockswap-keeper");
  sockswap::keeper::Settings settings;
  std::string level = "info";
  std::int64_t hold_limit = settings.hold_limit.count();
  std::int64_t idle_limit = settings.idle_limit.count();
  app.add_option("--config", settings.config, "Folder with hosts.toml and cert.pem")->capture_default_str();
  app.add_option("--run", settings.run, "Folder for keeper.sock")->capture_default_str();
  app.add_option("--hold-limit", hold_limit, "Milliseconds after which a hold that nobody decides is undone")
      ->check(CLI::Range(1, 3600'000))
      ->capture_default_str();
  app.add_flag("--transient", settings.transient,
               "End when the daemon says goodbye, or doesn't come back and nothing is kept");
  app.add_option("--idle-limit", idle_limit,
                 "Milliseconds after which a transient keeper without a daemon ends")
      ->check(CLI::Range(1, 3600'000))
      ->capture_default_str();
  app.add_option("--log-level", level, "debug, info, warn, error or off")
      ->check(CLI::IsMember({"debug", "info", "warn", "error", "off"}))
      ->capture_default_str();
  app.set_version_flag("--version", "sockswap-keeper " SOCKSWAP_VERSION);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    const int status = app.exit(error);
    return status == 0 ? 0 : static_cast<int>(sockswap::ErrorCode::usage);
  }
  settings.hold_limit = std::chrono::milliseconds(hold_limit);
  settings.idle_limit = std::chrono::milliseconds(idle_limit);
  ::signal(SIGPIPE, SIG_IGN);
  keep_memory();
  sockswap::log::set_up("sockswap-keeper", level);
  if (auto served = sockswap::keeper::serve(settings); !served) {
    const sockswap::Error& error = served.error();
    fmt::print(stderr, "sockswap-keeper: {}\n", error.text());
    if (!error.hint.empty()) fmt::print(stderr, "hint: {}\n", error.hint);
    return static_cast<int>(error.code);
  }
  return 0;
}
