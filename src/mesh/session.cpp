#include "mesh/session.h"

#include <fmt/format.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <asio/post.hpp>
#include <utility>

#include "cluster/certificate.h"
#include "wire/encoder.h"
#include "wire/errors.h"

namespace sockswap::mesh {
namespace {

// What the last recvs of a leaving session may take in one go, so that a flood can't hold up the others.
constexpr int reads_per_turn = 16;

Result<> set_option(int fd, int level, int option, int value) {
  if (::setsockopt(fd, level, option, &value, sizeof value) == 0) return {};
  return system_failure(errno, "prepare the socket of a session");
}

// tcp(7): with TCP_USER_TIMEOUT set, it and not the number of keep-alive probes decides when a silent
// host is gone. It counts for unacknowledged data and for a window that stays shut as well.
Result<> prepare(int fd, std::chrono::milliseconds dead_after) {
  const int first_probe = std::max<int>(1, static_cast<int>(dead_after.count() / 2000));
  SOCKSWAP_CHECK(set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1));
  SOCKSWAP_CHECK(set_option(fd, SOL_SOCKET, SO_KEEPALIVE, 1));
  SOCKSWAP_CHECK(set_option(fd, IPPROTO_TCP, TCP_KEEPIDLE, first_probe));
  SOCKSWAP_CHECK(set_option(fd, IPPROTO_TCP, TCP_KEEPINTVL, 1));
  return set_option(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, static_cast<int>(dead_after.count()));
}

}  // namespace

Session::Session(const Setting& setting, SessionOwner& owner, std::string remote, bool dialled)
    : io_(setting.io),
      limits_(setting.limits),
      own_name_(setting.own_name),
      owner_(&owner),
      remote_(std::move(remote)),
      dialled_(dialled),
      socket_(setting.io),
      timer_(setting.io),
      decoder_(setting.limits.wire) {}

Result<std::shared_ptr<Session>> Session::accept(const Setting& setting, SessionOwner& owner,
                                                 Turnstile& turnstile, Fd socket, std::string remote) {
  auto out = std::make_shared<Session>(setting, owner, std::move(remote), false);
  out->turnstile_ = &turnstile;
  auto tls = setting.tls.accept(socket.get());
  SOCKSWAP_CHECK(out->start(std::move(socket), std::move(tls)));
  return out;
}

Result<std::shared_ptr<Session>> Session::dial(const Setting& setting, SessionOwner& owner, Fd socket,
                                               const std::string& host) {
  auto out = std::make_shared<Session>(setting, owner, host, true);
  out->host_ = host;
  auto tls = setting.tls.dial(socket.get(), host);
  SOCKSWAP_CHECK(out->start(std::move(socket), std::move(tls)));
  return out;
}

Result<> Session::start(Fd socket, Result<std::unique_ptr<TlsStream>> tls) {
  SOCKSWAP_TRY(tls_, std::move(tls));
  SOCKSWAP_CHECK(prepare(socket.get(), limits_.dead_after));
  asio::error_code error;
  socket_.assign(socket.get(), error);
  if (error) return system_failure(error.value(), "watch the socket of a session");
  (void)socket.release();
  timer_.expires_after(limits_.handshake);
  timer_.async_wait([self = shared_from_this()](const asio::error_code& cancelled) {
    if (cancelled || self->phase_ == Phase::open) return;
    self->fail({.code = ErrorCode::unreachable, .message = "no Hello in time", .hint = {}}, Parting::at_once);
  });
  if (!dialled_) {
    wait_to_read();  // the other side speaks first
    return {};
  }
  // Not at once: the caller has no session yet that could fail.
  asio::post(io_, [self = shared_from_this()] {
    if (self->phase_ == Phase::securing) self->secure();
  });
  return {};
}

void Session::secure_in_turn() {
  if (turnstile_ == nullptr) return secure();
  turnstile_->queue([self = shared_from_this()] {
    if (self->phase_ == Phase::securing) self->secure();
  });
}

void Session::secure() {
  switch (tls_->handshake()) {
    case TlsStream::Status::done: greet(); return;
    case TlsStream::Status::want_read: wait_to_read(); return;
    case TlsStream::Status::want_write: wait_to_write(); return;
    case TlsStream::Status::closed:
    case TlsStream::Status::failed: fail_as_tls_did(); return;
  }
}

void Session::greet() {
  auto name = cluster::name_of(*tls_->peer_certificate());
  if (!name) {
    fail(name.error(), Parting::after_goodbye);
    return;
  }
  host_ = *std::move(name);
  if (const auto admitted = owner_->admit(*this, host_); !admitted) {
    fail(admitted.error(), Parting::after_goodbye);
    return;
  }
  phase_ = Phase::greeting;
  wire::Message message;
  wire::Hello& hello = *message.mutable_hello();
  hello.set_oldest_version(oldest_version);
  hello.set_newest_version(newest_version);
  hello.set_host(own_name_);
  hello.set_program("sockswapd");
  queue(message.SerializeAsString(), {});
  flush();
  if (talking()) read();
}

Result<> Session::take_hello(const wire::Hello& hello) {
  if (hello.host() != host_)
    return failure(ErrorCode::not_permitted, fmt::format("{} greets under another name", host_));
  if (hello.oldest_version() > newest_version || hello.newest_version() < oldest_version)
    return failure(
        ErrorCode::version_mismatch,
        fmt::format("{} speaks protocol versions {} to {}, {} speaks {} to {}", host_, hello.oldest_version(),
                    hello.newest_version(), own_name_, oldest_version, newest_version),
        "bring both hosts to the same release of sockswap");
  phase_ = Phase::open;
  timer_.cancel();
  owner_->opened(*this);
  return {};
}

void Session::fail_as_tls_did() {
  const Error error = tls_->error();
  fail(error, error.code == ErrorCode::unreachable ? Parting::at_once : Parting::after_alert);
}

void Session::dismiss(const Error& error) { fail(error, Parting::after_goodbye); }

// A socket that is closed with bytes unread sends RST and never again what the network has lost (RFC 9293,
// 3.6.1): an alert or a Goodbye, which say why. So the other side is heard out for a moment.
void Session::fail(const Error& error, Parting parting) {
  if (phase_ == Phase::leaving || phase_ == Phase::closed) return;
  const auto self = shared_from_this();
  phase_ = Phase::leaving;
  if (parting == Parting::after_goodbye) say_goodbye(error);
  if (parting == Parting::at_once) {
    close();
  } else {
    ::shutdown(socket_.native_handle(), SHUT_WR);
    timer_.expires_after(limits_.farewell);
    timer_.async_wait([self](const asio::error_code& cancelled) {
      if (!cancelled) self->close();
    });
    wait_to_read();
  }
  if (SessionOwner* owner = std::exchange(owner_, nullptr)) owner->failed(*this, error);
}

void Session::say_goodbye(const Error& error) {
  if (queued_ != 0) return;  // it would have to wait behind what the other side doesn't read
  wire::Message message;
  wire::to_message(error, *message.mutable_goodbye()->mutable_error());
  Bytes frames;
  wire::encode(frames, message.SerializeAsString(), {}, 0, limits_.wire);
  tls_->write(frames);
  tls_->close_notify();
}

void Session::read_to_the_end() {
  std::array<std::byte, tls_record_bytes> ignored;
  for (int turn = 0; turn < reads_per_turn; ++turn) {
    const ssize_t size = ::recv(socket_.native_handle(), ignored.data(), ignored.size(), 0);
    if (size > 0) continue;
    if (size < 0 && errno == EAGAIN) break;
    close();
    return;
  }
  wait_to_read();
}

void Session::abandon() {
  owner_ = nullptr;
  if (phase_ == Phase::closed) return;
  if (talking() && queued_ == 0) tls_->close_notify();
  close();
}

void Session::close() {
  phase_ = Phase::closed;
  timer_.cancel();
  asio::error_code ignored;
  socket_.close(ignored);
}

std::chrono::microseconds Session::round_trip() const {
  tcp_info info{};
  socklen_t size = sizeof info;
  if (phase_ != Phase::open ||
      ::getsockopt(const_cast<asio::posix::stream_descriptor&>(socket_).native_handle(), IPPROTO_TCP,
                   TCP_INFO, &info, &size) != 0)
    return {};
  return std::chrono::microseconds(info.tcpi_rtt);
}

}  // namespace sockswap::mesh
