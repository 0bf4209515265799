// The sessions of this host with all others: who is connected, what goes to whom, what has been lost.
//
// At most one session is dialled to each host and one accepted from it; both live if both hosts dial at
// once. Everything to one host goes over the older of the two until it breaks, so that each sender's order
// is kept. Messages are delivered at most once: what a broken session had not delivered is not sent again.
//
// One thread: the event loop's. Handlers are called from the loop, never from within a call of the Mesh's;
// they may call the Mesh but not destroy it.
#pragma once

#include <asio/io_context.hpp>
#include <chrono>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/endpoint.h"
#include "base/result.h"
#include "cluster/host_table.h"
#include "cluster/identity.h"
#include "mesh/listener.h"
#include "mesh/session.h"
#include "wire/session.pb.h"

namespace sockswap::mesh {

struct Incoming {
  std::string host;  // the sender's authenticated name
  wire::Message message;
  std::vector<Bytes> attachments;
};

struct MeshLimits {
  SessionLimits session;
  // Accepted but not open yet; beyond it the oldest is dropped. So many from addresses of the cluster's
  // hosts, and so many from all others.
  std::size_t half_open = 64;
  std::chrono::milliseconds connect{2000};  // for TCP, for each address of a host
};

struct HostState {
  enum class Phase { not_connected, connecting, connected, unreachable };
  Phase phase = Phase::not_connected;
  std::optional<Error> last_error;                      // of the last session or attempt, if it failed
  std::optional<std::chrono::microseconds> round_trip;  // connected only; the kernel's smoothed estimate
};

class Mesh final : private SessionOwner {
 public:
  struct Handlers {
    std::function<void(Incoming)> message;
    // A session has broken, or none could be had: whatever was sent to that host before this call and has
    // not been answered may or may not have arrived. Once for each break; not for an open() that fails
    // while nothing waits to be sent.
    std::function<void(const std::string& host, const Error& error)> lost;
    // Somebody was turned away before a session was open (it is logged as well). May be empty.
    std::function<void(const std::string& remote, const Error& error)> refused = {};
  };

  static Result<std::unique_ptr<Mesh>> make(asio::io_context& io, const cluster::HostTable& hosts,
                                            const cluster::Identity& identity, Handlers handlers,
                                            const MeshLimits& limits = {});
  Mesh(const Mesh&) = delete;
  Mesh& operator=(const Mesh&) = delete;
  ~Mesh();

  // At this host's port, on `bind` or, if that is empty, on all addresses that the table gives it.
  Result<> listen(const std::vector<Address>& bind = {});

  // To any host, this one included. What the host can't be sent leads to lost(). What exceeds the wire's
  // limits is refused here (too_large), and nothing else hears of it.
  Result<> send(const std::string& host, const wire::Message& message, std::vector<Bytes> attachments = {});

  // Has a session ready for a later send(). `then`, if given, hears once, from the loop, whether there is
  // one.
  using Opened = std::function<void(Result<>)>;
  void open(const std::string& host, Opened then = {});

  HostState state(const std::string& host) const;

  // Does the certificate that this host showed last cover the address? For this host: its own.
  bool covers(const std::string& host, const Address& address) const;

  // Sessions with hosts that are gone from the table end; the others stay, even if an address has changed.
  void reload(const cluster::HostTable& hosts);

  const std::string& own_name() const { return own_name_; }

 private:
  struct Peer;

  Mesh(asio::io_context& io, const cluster::HostTable& hosts, const cluster::Identity& identity,
       TlsContext tls, Handlers handlers, const MeshLimits& limits);

  // sessions.cpp: sessions come and go
  Result<> admit(const Session& session, const std::string& host) override;
  void opened(Session& session) override;
  void received(Session& session, wire::Message message, std::vector<Bytes> attachments) override;
  void failed(Session& session, const Error& error) override;
  void let_in(Fd socket, const Endpoint& from);
  void dial(Peer& peer);
  void dialled(const std::string& host, Result<Fd> socket);
  void dial_failed(Peer& peer, const Error& error);
  void tell_openers(Peer& peer, const Result<>& outcome);
  void turned_away(const std::string& remote, const Error& error);

  Peer& peer_of(const std::string& host);
  void lose(Peer& peer, const Error& error);
  void report_loss(const std::string& host);
  void post(std::function<void()> action);
  bool sendable(const wire::Message& message, const std::vector<Bytes>& attachments);
  Session::Setting setting() const;

  asio::io_context& io_;
  cluster::HostTable hosts_;
  std::string own_name_;
  std::vector<Address> own_addresses_;  // as the own certificate has them
  TlsContext tls_;
  Handlers handlers_;
  MeshLimits limits_;
  std::map<std::string, std::unique_ptr<Peer>, std::less<>> peers_;
  // Whoever dials from an address of a host's doesn't wait for those who don't.
  struct Porch {
    explicit Porch(asio::io_context& io) : turnstile(io) {}
    Turnstile turnstile;
    std::list<std::weak_ptr<Session>> half_open;  // oldest first
  };
  Porch hosts_porch_, strangers_porch_;
  std::unique_ptr<Listener> listener_;
  std::string encoded_;       // reused by each send()
  bool inside_call_ = false;  // of a public function: handlers have to wait for the loop
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace sockswap::mesh
