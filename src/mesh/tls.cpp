#include "mesh/tls.h"

#include <fmt/format.h>
#include <openssl/err.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

namespace sockswap::mesh {
namespace {

// RFC 8446, 6.2. OpenSSL reports a received alert as reason SSL_AD_REASON_OFFSET + its number.
constexpr int alert(int number) { return SSL_AD_REASON_OFFSET + number; }
constexpr std::array refusals = {alert(SSL_AD_BAD_CERTIFICATE),
                                 alert(SSL_AD_UNSUPPORTED_CERTIFICATE),
                                 alert(SSL_AD_CERTIFICATE_REVOKED),
                                 alert(SSL_AD_CERTIFICATE_EXPIRED),
                                 alert(SSL_AD_CERTIFICATE_UNKNOWN),
                                 alert(SSL_AD_UNKNOWN_CA),
                                 alert(SSL_AD_ACCESS_DENIED),
                                 alert(SSL_AD_CERTIFICATE_REQUIRED),
                                 SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE};
constexpr std::array version_reasons = {alert(SSL_AD_PROTOCOL_VERSION), SSL_R_UNSUPPORTED_PROTOCOL,
                                        SSL_R_WRONG_SSL_VERSION};

ErrorCode code_of(int reason) {
  if (std::ranges::count(refusals, reason) != 0) return ErrorCode::not_permitted;
  if (std::ranges::count(version_reasons, reason) != 0) return ErrorCode::version_mismatch;
  return ErrorCode::unreachable;
}

}  // namespace

TlsStream::Status TlsStream::handshake() {
  ERR_clear_error();
  return judge(SSL_do_handshake(ssl_.get()));
}

TlsStream::Progress TlsStream::read(std::span<std::byte> into) {
  ERR_clear_error();
  std::size_t size = 0;
  const int returned = SSL_read_ex(ssl_.get(), into.data(), into.size(), &size);
  return {.status = judge(returned), .bytes = size};
}

TlsStream::Progress TlsStream::write(ByteView bytes) {
  ERR_clear_error();
  std::size_t size = 0;
  const int returned = SSL_write_ex(ssl_.get(), bytes.data(), bytes.size(), &size);
  return {.status = judge(returned), .bytes = size};
}

void TlsStream::close_notify() {
  ERR_clear_error();
  SSL_shutdown(ssl_.get());
  ERR_clear_error();
}

TlsStream::Status TlsStream::judge(int returned) {
  if (returned == 1) return Status::done;
  switch (SSL_get_error(ssl_.get(), returned)) {
    case SSL_ERROR_WANT_READ: return Status::want_read;
    case SSL_ERROR_WANT_WRITE: return Status::want_write;
    case SSL_ERROR_ZERO_RETURN: break;
    default:
      if (!socket_.ended) {
        explain();
        return Status::failed;
      }
  }
  error_ = {.code = ErrorCode::unreachable, .message = "the other side closed the connection", .hint = {}};
  return Status::closed;
}

void TlsStream::explain() {
  const int reason = ERR_GET_REASON(ERR_peek_error());
  const std::string text = cluster::openssl_error_text();
  if (socket_.sys_errno != 0) {
    error_ = system_error(socket_.sys_errno, "the connection broke", ErrorCode::unreachable);
  } else if (const long verified = SSL_get_verify_result(ssl_.get()); verified != X509_V_OK) {
    error_ = {.code = ErrorCode::not_permitted,
              .message = fmt::format("certificate refused: {}", X509_verify_cert_error_string(verified)),
              .hint = {}};
  } else {
    error_ = {.code = code_of(reason), .message = fmt::format("TLS: {}", text), .hint = {}};
  }
}

// OpenSSL's own socket BIO uses write(), which raises SIGPIPE in a process that doesn't ignore it, and
// finds out by a system call that fails with EAGAIN what a short recv has told already.
const BIO_METHOD* TlsStream::socket_bio() {
  static const BIO_METHOD* const method = [] {
    BIO_METHOD* made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "sockswap socket");
    BIO_meth_set_write(made, bio_write);
    BIO_meth_set_read(made, bio_read);
    BIO_meth_set_ctrl(made, bio_control);
    return made;
  }();
  return method;
}

int TlsStream::bio_write(BIO* bio, const char* data, int size) {
  Socket& socket = *static_cast<Socket*>(BIO_get_data(bio));
  BIO_clear_retry_flags(bio);
  const ssize_t sent = ::send(socket.fd, data, static_cast<std::size_t>(size), MSG_NOSIGNAL);
  if (sent >= 0) return static_cast<int>(sent);
  if (errno == EAGAIN || errno == EINTR) {
    BIO_set_retry_write(bio);
  } else {
    socket.sys_errno = errno;
  }
  return -1;
}

int TlsStream::bio_read(BIO* bio, char* data, int size) {
  Socket& socket = *static_cast<Socket*>(BIO_get_data(bio));
  BIO_clear_retry_flags(bio);
  if (socket.drained) {
    BIO_set_retry_read(bio);
    return -1;
  }
  const ssize_t received = ::recv(socket.fd, data, static_cast<std::size_t>(size), 0);
  if (received > 0) {
    socket.drained = received < size;
    return static_cast<int>(received);
  }
  if (received == 0) {
    socket.ended = true;
    return 0;
  }
  if (errno == EAGAIN || errno == EINTR) {
    BIO_set_retry_read(bio);
  } else {
    socket.sys_errno = errno;
  }
  return -1;
}

long TlsStream::bio_control(BIO*, int command, long, void*) { return command == BIO_CTRL_FLUSH ? 1 : 0; }

}  // namespace sockswap::mesh
