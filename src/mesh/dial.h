// One attempt to reach a host: its addresses one after the other, until one takes the connection. Stays
// alive by itself until `done` has been called or cancel(). One thread: the event loop's.
#pragma once

#include <asio/io_context.hpp>
#include <asio/posix/stream_descriptor.hpp>
#include <asio/steady_timer.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <vector>

#include "base/endpoint.h"
#include "base/fd.h"
#include "base/result.h"

namespace sockswap::mesh {

class Dial : public std::enable_shared_from_this<Dial> {
 public:
  // A connected socket, non-blocking and CLOEXEC, or the last address's error (unreachable). Never called
  // from within start().
  using Done = std::function<void(Result<Fd>)>;

  // `patience` is for each address.
  static std::shared_ptr<Dial> start(asio::io_context& io, std::vector<Endpoint> endpoints,
                                     std::chrono::milliseconds patience, Done done);
  void cancel();  // `done` isn't called any more

  Dial(asio::io_context& io, std::vector<Endpoint> endpoints, std::chrono::milliseconds patience, Done done);

 private:
  void try_next();
  Result<> begin(const Endpoint& endpoint);
  void connected();
  void attempt_failed(Error error);
  void finish(Result<Fd> result);

  asio::io_context& io_;
  std::vector<Endpoint> endpoints_;
  std::chrono::milliseconds patience_;
  Done done_;
  std::size_t next_ = 0;
  unsigned attempt_ = 0;  // callbacks of an earlier one are stale
  Error last_error_;
  asio::posix::stream_descriptor socket_;
  asio::steady_timer timer_;
};

}  // namespace sockswap::mesh
