// sockswapd, put together: one event loop, one thread, and no rights (confine.h). What needs any, its keeper
// does.
#pragma once

#include <asio/io_context.hpp>
#include <asio/signal_set.hpp>
#include <filesystem>
#include <memory>

#include "base/result.h"
#include "cluster/host_table.h"
#include "cluster/identity.h"
#include "daemon/trap.h"

namespace sockswap::daemon {

struct Settings {
  std::filesystem::path config = "/etc/sockswap";  // hosts.toml, ca.pem, cert.pem, key.pem
  std::filesystem::path run = "/run/sockswap";     // control.sock, keeper.sock
  std::filesystem::path keeper;  // the program to start if none runs; empty: beside this one
  std::string user;              // whom to become; empty: sockswap, else nobody
  std::string log_level = "info";
  Traps traps;  // for tests
};

// Serves until SIGTERM or SIGINT; SIGHUP reads hosts.toml again. An error is one of starting. If the keeper
// breaks, the process ends at once: what is kept stays as it is, and the next daemon goes on.
Result<> serve(const Settings& settings);

}  // namespace sockswap::daemon
