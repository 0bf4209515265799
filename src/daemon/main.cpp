// sockswapd: one a host; moves the ends of live TCP connections to and from it.
#include <fmt/format.h>
#include <malloc.h>

#include <CLI/CLI.hpp>
#include <csignal>
#include <cstdio>

#include "base/log.h"
#include "daemon/daemon.h"

namespace {

// A full queue has megabytes, is copied while its end stands still, and would get fresh pages from the kernel
// for each copy: faulting those in takes longer than the copying. So what was freed is kept for the next one.
void keep_memory() {
  constexpr int most_kept = 64 << 20;
  ::mallopt(M_MMAP_THRESHOLD, most_kept / 2);
  ::mallopt(M_TRIM_THRESHOLD, most_kept);
}

int complain(const sockswap::Error& error) {
  fmt::print(stderr, "sockswapd: {}\n", error.text());
  if (!error.hint.empty()) fmt::print(stderr, "hint: {}\n", error.hint);
  return static_cast<int>(error.code);
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("sockswapd moves the ends of live TCP connections to and from this host.", "sockswapd");
  sockswap::daemon::Settings settings;
  app.add_option("--config", settings.config, "Folder with hosts.toml, ca.pem, cert.pem and key.pem")
      ->capture_default_str();
  app.add_option("--run", settings.run, "Folder for control.sock, keeper.sock and the journal")
      ->capture_default_str();
  app.add_option("--keeper", settings.keeper,
                 "The sockswap-keeper to start if none runs; else the one beside this program");
  app.add_option("--user", settings.user, "The user to become; else 'sockswap' if there is one, or 'nobody'");
  app.add_option("--log-level", settings.log_level, "debug, info, warn, error or off")
      ->check(CLI::IsMember({"debug", "info", "warn", "error", "off"}))
      ->capture_default_str();
  std::vector<std::string> traps;
  app.add_option("--trap", traps,
                 "For tests: stop (SIGSTOP) when ROLE:STEP of a move is reached, once; may be repeated")
      ->allow_extra_args(false);
  app.set_version_flag("--version", "sockswapd " SOCKSWAP_VERSION);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    const int status = app.exit(error);
    return status == 0 ? 0 : static_cast<int>(sockswap::ErrorCode::usage);
  }
  auto parsed = sockswap::daemon::Traps::parse(traps);
  if (!parsed) return complain(parsed.error());
  settings.traps = *std::move(parsed);
  ::signal(SIGPIPE, SIG_IGN);
  keep_memory();
  sockswap::log::set_up("sockswapd", settings.log_level);
  if (auto served = sockswap::daemon::serve(settings); !served) return complain(served.error());
  return 0;
}
