// The other side of a session, played by hand: OpenSSL on a blocking socket in a thread of its own. It can
// do everything that a mesh never would.
#pragma once

#include <openssl/ssl.h>

#include <array>
#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <thread>

#include "base/endpoint.h"
#include "base/fd.h"
#include "cluster/identity.h"
#include "wire/decoder.h"
#include "wire/session.pb.h"

namespace sockswap::mesh {

class RawPeer {
 public:
  struct Look {
    const cluster::Identity* identity = nullptr;  // none: shows no certificate
    int newest_tls = TLS1_3_VERSION;
  };

  static RawPeer connect(const Endpoint& to, const std::optional<Address>& from = {});
  explicit RawPeer(Fd socket);
  RawPeer(RawPeer&&) = default;
  RawPeer& operator=(RawPeer&&) = default;

  // From now on our kernel drops what comes in, as if the network did. Waits first until the other side has
  // acknowledged everything: what were sent to it again and again would show that we live.
  void go_deaf();
  void hear_again();
  void enlarge_send_buffer(int bytes);
  void write_plain(std::string_view text);
  // Never checks the other side's certificate.
  bool secure_as_client(const Look& look);
  bool secure_as_server(const Look& look);
  void send(const wire::Message& message, std::span<const ByteView> attachments = {});
  void send_bytes(ByteView bytes);
  // Nothing: the session has ended.
  std::optional<wire::Message> receive();
  // Nothing either if nothing comes within that time.
  std::optional<wire::Message> receive_within(std::chrono::milliseconds time);
  void wait_for_the_end();
  // The bytes that TLS has put into the socket.
  std::uint64_t written() const { return BIO_number_written(SSL_get_wbio(ssl_.get())); }
  // Could what was agreed be used again, for a session or for data before there is one?
  bool could_resume() const {
    const SSL_SESSION* session = SSL_get0_session(ssl_.get());
    return SSL_SESSION_is_resumable(session) == 1 || SSL_SESSION_get_max_early_data(session) != 0;
  }
  Fd release() && { return std::move(socket_); }

  static wire::Message hello(const std::string& host, std::uint32_t oldest = 1, std::uint32_t newest = 1);

 private:
  struct Free {
    void operator()(SSL* ssl) const { SSL_free(ssl); }
  };
  bool secure(const Look& look, bool server);
  std::optional<wire::Message> next();
  bool read_more();

  Fd socket_;
  std::unique_ptr<SSL, Free> ssl_;
  wire::Decoder decoder_;
};

// A listening socket on which one RawPeer at a time is accepted.
class RawListener {
 public:
  explicit RawListener(const Endpoint& at);
  RawPeer accept();

 private:
  Fd socket_;
};

// Runs beside the event loop; done() is for MeshTest::run_until.
class Beside {
 public:
  explicit Beside(std::function<void()> work);
  ~Beside() { thread_.join(); }
  bool done() const { return done_; }

 private:
  std::atomic<bool> done_ = false;
  std::thread thread_;
};

}  // namespace sockswap::mesh
