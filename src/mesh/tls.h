// TLS between hosts: version 1.3 only, mutual, one authority.
//
// OpenSSL reads and writes the non-blocking socket itself, through a BIO of ours. A small message costs its
// sender one system call (send, from within the caller's own call) and its receiver three (epoll_wait, one
// recv, and the epoll_ctl with which asio waits again). There and back between two processes over loopback
// took 19.5 µs at the median, decoding included; bare TCP took 13.8 and asio::ssl::stream without any
// decoding 18.3, which would add a copy through its BIO pair, reads of 17 KiB at most, and writes that can't
// be made at once. Of the 19.5 about 5 are the two wake-ups: loops that spin save as much.
#pragma once

#include <openssl/ssl.h>

#include <memory>
#include <string>

#include "base/bytes.h"
#include "base/result.h"
#include "cluster/identity.h"

namespace sockswap::mesh {

// The most that one read() returns: a record's worth (RFC 8446, 5.1).
inline constexpr std::size_t tls_record_bytes = 16384;

// One side of one TLS connection over a socket that it does not own and that outlives it. One thread.
// After Status::failed nothing but error() may be called.
class TlsStream {
 public:
  enum class Status { done, want_read, want_write, closed, failed };
  struct Progress {
    Status status = Status::done;
    std::size_t bytes = 0;
  };

  TlsStream(const TlsStream&) = delete;
  TlsStream& operator=(const TlsStream&) = delete;
  ~TlsStream() = default;

  // Call after each wake-up, until done. The peer's certificate has been verified then, and on the dialling
  // side bears the expected name. On the dialling side `done` doesn't mean that the other has agreed to
  // ours: its refusal, if any, is the first thing to be read.
  Status handshake();

  // `into` has at least tls_record_bytes.
  Progress read(std::span<std::byte> into);
  // After want_write the next call must begin with the same bytes (they may have moved in memory).
  Progress write(ByteView bytes);
  // Tells the other side that no more will come; best effort.
  void close_notify();

  // To be called when the socket has become readable: only then is it asked again.
  void socket_is_readable() { socket_.drained = false; }

  const X509* peer_certificate() const { return SSL_get0_peer_certificate(ssl_.get()); }

  // Why the last call failed or found the connection closed. not_permitted: a certificate was refused, here
  // or there; version_mismatch: no TLS version in common; unreachable: the connection broke, or the other
  // side speaks no TLS.
  Error error() const { return error_; }

 private:
  friend class TlsContext;
  struct Socket {
    int fd = -1;
    bool drained = false;  // the last recv took all there was: don't ask again before a wake-up
    bool ended = false;    // the other side has sent its FIN
    int sys_errno = 0;
  };
  struct FreeSsl {
    void operator()(SSL* ssl) const { SSL_free(ssl); }
  };

  explicit TlsStream(int fd) : socket_{.fd = fd} {}
  Status judge(int returned);
  void explain();

  static const BIO_METHOD* socket_bio();
  static int bio_write(BIO* bio, const char* data, int size);
  static int bio_read(BIO* bio, char* data, int size);
  static long bio_control(BIO* bio, int command, long number, void* pointer);

  Socket socket_;
  std::unique_ptr<SSL, FreeSsl> ssl_;
  Error error_;
};

// What all sessions share. Its streams may outlive it: OpenSSL counts references.
class TlsContext {
 public:
  static Result<TlsContext> make(const cluster::Identity& identity);

  Result<std::unique_ptr<TlsStream>> accept(int fd) const;
  // The handshake fails unless the other side's certificate bears the name `host`.
  Result<std::unique_ptr<TlsStream>> dial(int fd, const std::string& host) const;

 private:
  struct FreeContext {
    void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
  };
  Result<std::unique_ptr<TlsStream>> stream(int fd) const;

  std::unique_ptr<SSL_CTX, FreeContext> context_;
};

}  // namespace sockswap::mesh
