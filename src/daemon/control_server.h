// The local control socket: /run/sockswap/control.sock. Anybody may connect; SO_PEERCRED says who.
#pragma once

#include <asio/local/stream_protocol.hpp>
#include <asio/steady_timer.hpp>
#include <filesystem>
#include <set>

#include "daemon/program.h"

namespace sockswap::daemon {

class ControlServer {
 public:
  explicit ControlServer(Services services)
      : services_(services), acceptor_(services.context.io), pause_(services.context.io) {}

  // Takes the place of a dead daemon's socket; fails with busy if a living one answers on it.
  Result<> listen(const std::filesystem::path& path);
  // Stops accepting and removes the socket's name.
  void close();

 private:
  void accept();
  void welcome(asio::local::stream_protocol::socket socket);

  Services services_;
  std::filesystem::path path_;
  asio::local::stream_protocol::acceptor acceptor_;
  asio::steady_timer pause_;
  std::set<std::shared_ptr<Program>> programs_;
};

}  // namespace sockswap::daemon
