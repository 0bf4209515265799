// The sockets on which a host awaits the others. Owns them; closed on destruction, after which no callback
// comes. One thread: the event loop's.
#pragma once

#include <asio/io_context.hpp>
#include <asio/posix/stream_descriptor.hpp>
#include <asio/steady_timer.hpp>
#include <functional>
#include <memory>
#include <vector>

#include "base/endpoint.h"
#include "base/fd.h"
#include "base/result.h"

namespace sockswap::mesh {

class Listener {
 public:
  // The socket is non-blocking and CLOEXEC.
  using Accepted = std::function<void(Fd, const Endpoint& from)>;

  // Listens on all of them or on none. An IPv6 address takes IPv6 only: the IPv4 ones are named too.
  static Result<std::unique_ptr<Listener>> open(asio::io_context& io, const std::vector<Endpoint>& endpoints,
                                                Accepted accepted);
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;
  ~Listener();

 private:
  struct Door;
  Listener(asio::io_context& io, Accepted accepted);
  Result<> add(const Endpoint& endpoint);
  void wait(Door& door);
  void accept_some(Door& door);

  asio::io_context& io_;
  Accepted accepted_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
  std::vector<std::unique_ptr<Door>> doors_;
};

}  // namespace sockswap::mesh
