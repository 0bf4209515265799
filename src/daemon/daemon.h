// sockswapd, put together: one event loop, one thread.
#pragma once

#include <asio/io_context.hpp>
#include <asio/signal_set.hpp>
#include <filesystem>
#include <memory>

#include "base/result.h"
#include "cluster/host_table.h"
#include "cluster/identity.h"

namespace sockswap::daemon {

struct Settings {
  std::filesystem::path config = "/etc/sockswap";  // hosts.toml, ca.pem, cert.pem, key.pem
  std::filesystem::path run = "/run/sockswap";     // control.sock
};

// Serves until SIGTERM or SIGINT; SIGHUP reads hosts.toml again. An error is one of starting.
Result<> serve(const Settings& settings);

}  // namespace sockswap::daemon
