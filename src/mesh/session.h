// One TLS connection with another host: handshake, Hello, then parcels in order, both ways.
//
//   securing ──TLS done──▶ greeting ──Hello──▶ open
//       └──────────┬───────────┴────────────────┘
//                  ▼ fail()
//               leaving ──the other side's end, or a timer──▶ closed
//
// Nothing that the other side sends is parsed before TLS has verified its certificate and the mesh has
// admitted its name. A session stays alive by the waits it has under way; one thread, the event loop's.
#pragma once

#include <asio/io_context.hpp>
#include <asio/posix/stream_descriptor.hpp>
#include <asio/steady_timer.hpp>
#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/fd.h"
#include "base/result.h"
#include "mesh/tls.h"
#include "mesh/turnstile.h"
#include "wire/decoder.h"
#include "wire/session.pb.h"

namespace sockswap::mesh {

// The versions of the protocol between hosts that this program speaks (docs/protocol.md).
inline constexpr std::uint32_t oldest_version = 1;
inline constexpr std::uint32_t newest_version = 1;

struct SessionLimits {
  wire::Limits wire;
  std::uint64_t queue_bytes = 1ull << 29;       // waiting for one host; more breaks the session
  std::chrono::milliseconds handshake{5000};    // from the TCP connection to the other side's Hello
  std::chrono::milliseconds farewell{1000};     // for a Goodbye to be read before the socket is closed
  std::chrono::milliseconds dead_after{10000};  // silence after which the host counts as gone
};

class Session;

// Who owns sessions. Any of these may send or stop sessions, but not destroy the owner.
class SessionOwner {
 public:
  // The TLS handshake is done: may a host of that name talk to us?
  virtual Result<> admit(const Session& session, const std::string& host) = 0;
  virtual void opened(Session& session) = 0;
  virtual void received(Session& session, wire::Message message, std::vector<Bytes> attachments) = 0;
  // Called once, and nothing after it.
  virtual void failed(Session& session, const Error& error) = 0;

 protected:
  ~SessionOwner() = default;
};

class Session : public std::enable_shared_from_this<Session> {
 public:
  enum class Phase { securing, greeting, open, leaving, closed };

  struct Setting {
    asio::io_context& io;
    const TlsContext& tls;
    std::string own_name;
    SessionLimits limits;
  };

  // `remote` is what errors call the other side. The owner outlives the session or calls abandon(). The steps
  // of an accepted one's handshake go through the turnstile.
  static Result<std::shared_ptr<Session>> accept(const Setting& setting, SessionOwner& owner,
                                                 Turnstile& turnstile, Fd socket, std::string remote);
  static Result<std::shared_ptr<Session>> dial(const Setting& setting, SessionOwner& owner, Fd socket,
                                               const std::string& host);

  // Sends at once if nothing is queued, from within the call; a failure reaches the owner from here too.
  // Requires phase open and what encode() requires.
  void send(std::string_view message, std::span<const ByteView> attachments);
  void send_encoded(Bytes frames);

  // Says Goodbye and leaves; the owner hears failed().
  void dismiss(const Error& error);
  // Closes at once; the owner hears nothing any more.
  void abandon();

  Phase phase() const { return phase_; }
  bool was_dialled() const { return dialled_; }
  const std::string& host() const { return host_; }      // empty before it is known
  const std::string& remote() const { return remote_; }  // for people
  const X509* certificate() const { return tls_->peer_certificate(); }
  std::chrono::microseconds round_trip() const;  // the kernel's smoothed estimate; 0 if none yet

  Session(const Setting& setting, SessionOwner& owner, std::string remote, bool dialled);

 private:
  enum class Parting { at_once, after_alert, after_goodbye };

  // session.cpp: a life's stages
  Result<> start(Fd socket, Result<std::unique_ptr<TlsStream>> tls);
  void secure_in_turn();
  void secure();
  void greet();
  Result<> take_hello(const wire::Hello& hello);
  void fail(const Error& error, Parting parting);
  void say_goodbye(const Error& error);
  void fail_as_tls_did();
  void read_to_the_end();
  void close();

  // session_traffic.cpp: bytes in, bytes out
  void wait_to_read();
  void wait_to_write();
  void read();
  void take(wire::Parcel parcel);
  void queue(std::string_view message, std::span<const ByteView> attachments);
  void flush();
  void drop_written_block();
  bool talking() const { return phase_ == Phase::greeting || phase_ == Phase::open; }

  asio::io_context& io_;
  SessionLimits limits_;
  std::string own_name_;
  SessionOwner* owner_;
  std::string remote_;
  std::string host_;
  bool dialled_ = false;
  Turnstile* turnstile_ = nullptr;  // the owner's, and there as long as that; none: it was dialled
  Phase phase_ = Phase::securing;
  asio::posix::stream_descriptor socket_;
  std::unique_ptr<TlsStream> tls_;
  asio::steady_timer timer_;

  wire::Decoder decoder_;
  std::deque<Bytes> outgoing_;  // frames; what is small shares a block
  std::size_t written_ = 0;     // of the first block
  std::uint64_t queued_ = 0;    // bytes in outgoing_ not yet written
  bool writing_later_ = false;  // a wait for the socket to take more is under way
};

}  // namespace sockswap::mesh
