#include "mesh/dial.h"

#include <fmt/format.h>
#include <sys/socket.h>

#include <asio/post.hpp>
#include <cerrno>
#include <utility>

namespace sockswap::mesh {

Dial::Dial(asio::io_context& io, std::vector<Endpoint> endpoints, std::chrono::milliseconds patience,
           Done done)
    : io_(io),
      endpoints_(std::move(endpoints)),
      patience_(patience),
      done_(std::move(done)),
      last_error_{.code = ErrorCode::unreachable, .message = "the host has no address", .hint = {}},
      socket_(io),
      timer_(io) {}

std::shared_ptr<Dial> Dial::start(asio::io_context& io, std::vector<Endpoint> endpoints,
                                  std::chrono::milliseconds patience, Done done) {
  auto out = std::make_shared<Dial>(io, std::move(endpoints), patience, std::move(done));
  out->try_next();
  return out;
}

void Dial::cancel() {
  ++attempt_;
  done_ = nullptr;
  timer_.cancel();
  asio::error_code ignored;
  socket_.close(ignored);
}

void Dial::try_next() {
  ++attempt_;
  asio::error_code ignored;
  socket_.close(ignored);
  if (next_ == endpoints_.size()) {
    asio::post(io_, [self = shared_from_this()] { self->finish(failure(self->last_error_)); });
    return;
  }
  const Endpoint endpoint = endpoints_[next_++];
  if (auto begun = begin(endpoint); !begun) {
    attempt_failed(std::move(begun).error());
    return;
  }
  timer_.expires_after(patience_);
  timer_.async_wait([self = shared_from_this(), attempt = attempt_, endpoint](const asio::error_code& error) {
    if (!error && attempt == self->attempt_)
      self->attempt_failed({.code = ErrorCode::unreachable,
                            .message = fmt::format("{} doesn't answer", endpoint.text()),
                            .hint = "is sockswapd running there, and its port open?"});
  });
  socket_.async_wait(asio::posix::stream_descriptor::wait_write,
                     [self = shared_from_this(), attempt = attempt_](const asio::error_code& error) {
                       if (!error && attempt == self->attempt_) self->connected();
                     });
}

Result<> Dial::begin(const Endpoint& endpoint) {
  const auto failed = [&endpoint](int error) {
    return system_failure(error, fmt::format("connect to {}", endpoint.text()), ErrorCode::unreachable);
  };
  const int family = endpoint.address.is_v4() ? AF_INET : AF_INET6;
  Fd fd(::socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd) return failed(errno);
  sockaddr_storage address{};
  const socklen_t length = endpoint.to_sockaddr(family, address);
  if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), length) != 0 && errno != EINPROGRESS)
    return failed(errno);
  asio::error_code error;
  socket_.assign(fd.get(), error);
  if (error) return failed(error.value());
  (void)fd.release();
  return {};
}

void Dial::connected() {
  int error = 0;
  socklen_t size = sizeof error;
  if (::getsockopt(socket_.native_handle(), SOL_SOCKET, SO_ERROR, &error, &size) != 0) error = errno;
  if (error != 0) {
    attempt_failed(system_error(error, fmt::format("connect to {}", endpoints_[next_ - 1].text()),
                                ErrorCode::unreachable));
    return;
  }
  timer_.cancel();
  finish(Fd(socket_.release()));
}

void Dial::attempt_failed(Error error) {
  timer_.cancel();
  last_error_ = std::move(error);
  try_next();
}

void Dial::finish(Result<Fd> result) {
  if (const Done done = std::exchange(done_, nullptr)) done(std::move(result));
}

}  // namespace sockswap::mesh
