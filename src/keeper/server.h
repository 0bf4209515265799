// sockswap-keeper's loop: the one daemon that is connected, those that have to wait, signals, and time.
#pragma once

#include <chrono>
#include <filesystem>

#include "base/fd.h"
#include "base/result.h"
#include "keeper/peers.h"

namespace sockswap::keeper {

struct Settings {
  std::filesystem::path config = "/etc/sockswap";  // hosts.toml, cert.pem
  std::filesystem::path run = "/run/sockswap";  // keeper.sock; control.sock is removed from there at Goodbye
  std::chrono::milliseconds hold_limit = default_hold_limit;
  // Started by a daemon: ends at its Goodbye, or when it has gone, nothing is kept, and nobody has come for
  // so long.
  bool transient = false;
  std::chrono::milliseconds idle_limit{60000};
};

// Serves until SIGTERM or SIGINT (everything that isn't swapped is undone), or Goodbye if it is transient.
// Takes over a listening socket if one is passed (sd_listen_fds(3)). An error is one of starting. Blocks
// these signals.
Result<> serve(const Settings& settings);

}  // namespace sockswap::keeper
