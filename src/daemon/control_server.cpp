#include "daemon/control_server.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <algorithm>
#include <asio/post.hpp>

#include "base/credentials.h"
#include "base/log.h"
#include "daemon/hand_overs.h"
#include "daemon/quotas.h"

namespace sockswap::daemon {
namespace {

constexpr std::chrono::milliseconds pause_after_error{100};

bool answers(const std::filesystem::path& path) {
  asio::io_context io;
  asio::local::stream_protocol::socket probe(io);
  asio::error_code error;
  probe.connect(asio::local::stream_protocol::endpoint(path.string()), error);
  return !error;
}

}  // namespace

Result<> ControlServer::listen(const std::filesystem::path& path) {
  path_ = path;
  if (path.native().size() >= sizeof(sockaddr_un::sun_path))
    return failure(ErrorCode::usage, fmt::format("{} is too long for a socket's path", path.string()),
                   fmt::format("at most {} bytes: choose another --run", sizeof(sockaddr_un::sun_path) - 1));
  std::error_code filesystem_error;
  if (std::filesystem::exists(path, filesystem_error)) {
    if (answers(path))
      return failure(ErrorCode::busy, fmt::format("another sockswapd answers on {}", path.string()),
                     "one daemon a host: stop the other first");
    std::filesystem::remove(path, filesystem_error);
  }
  asio::error_code error;
  const asio::local::stream_protocol::endpoint endpoint(path.string());
  acceptor_.open(endpoint.protocol(), error);
  if (!error) acceptor_.bind(endpoint, error);
  if (!error) acceptor_.listen(asio::socket_base::max_listen_connections, error);
  if (error)
    return failure(ErrorCode::internal, fmt::format("listen on {}: {}", path.string(), error.message()),
                   "does its folder exist, and is it writable?");
  // What a program may do is decided by what it passes in and by who it is, not by who may connect.
  if (::chmod(path.c_str(), 0666) != 0) return system_failure(errno, "chmod " + path.string());
  accept();
  return {};
}

void ControlServer::close() {
  asio::error_code ignored;
  pause_.cancel();
  acceptor_.close(ignored);
  // The keeper removes the file: this process has no rights to its folder any more.
}

void ControlServer::accept() {
  acceptor_.async_accept([this](const asio::error_code& error, asio::local::stream_protocol::socket socket) {
    if (error == asio::error::operation_aborted) return;
    if (error) {
      log::warn("no programs let in for a moment: {}", error.message());
      pause_.expires_after(pause_after_error);  // out of descriptors, say: at once it would be the same again
      return pause_.async_wait([this](const asio::error_code& cancelled) {
        if (!cancelled) accept();
      });
    }
    welcome(std::move(socket));
    accept();
  });
}

void ControlServer::welcome(asio::local::stream_protocol::socket socket) {
  const auto credentials = peer_credentials(socket.native_handle());
  if (!credentials) {
    log::warn("a control connection is refused: {}", credentials.error().text());
    return;
  }
  const auto same_user = [&](const auto& program) { return program->credentials().uid == credentials->uid; };
  if (credentials->uid != 0 &&
      static_cast<std::size_t>(std::ranges::count_if(programs_, same_user)) >= quota::programs) {
    log::warn("a control connection is refused: user {} has {} already", credentials->uid, quota::programs);
    return;
  }
  auto session =
      std::make_shared<ControlSession>(std::move(socket), Credentials{credentials->pid, credentials->uid});
  auto program = std::make_shared<Program>(services_, std::move(session));
  programs_.insert(program);
  services_.hand_overs.add(program);
  program->start([this, weak = std::weak_ptr(program)] {
    asio::post(services_.context.io, [this, weak] { programs_.erase(weak.lock()); });
  });
}

}  // namespace sockswap::daemon
