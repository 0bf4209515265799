#include "mesh/mesh.h"

#include <fmt/format.h>

#include <algorithm>
#include <asio/post.hpp>
#include <utility>

#include "cluster/certificate.h"
#include "mesh/peer.h"
#include "wire/encoder.h"

namespace sockswap::mesh {
namespace {

// While one lives, no handler is called.
class InsideCall {
 public:
  explicit InsideCall(bool& flag) : flag_(flag), before_(std::exchange(flag, true)) {}
  InsideCall(const InsideCall&) = delete;
  InsideCall& operator=(const InsideCall&) = delete;
  ~InsideCall() { flag_ = before_; }

 private:
  bool& flag_;
  bool before_;
};

Error unknown_host(const std::string& host) {
  return {.code = ErrorCode::unknown_host,
          .message = fmt::format("the cluster has no host '{}'", host),
          .hint = "hosts.toml lists them"};
}

}  // namespace

Mesh::Mesh(asio::io_context& io, const cluster::HostTable& hosts, const cluster::Identity& identity,
           TlsContext tls, Handlers handlers, const MeshLimits& limits)
    : io_(io),
      hosts_(hosts),
      own_name_(identity.name),
      own_addresses_(cluster::addresses_of(*identity.certificate)),
      tls_(std::move(tls)),
      handlers_(std::move(handlers)),
      limits_(limits),
      hosts_porch_(io),
      strangers_porch_(io) {}

Result<std::unique_ptr<Mesh>> Mesh::make(asio::io_context& io, const cluster::HostTable& hosts,
                                         const cluster::Identity& identity, Handlers handlers,
                                         const MeshLimits& limits) {
  SOCKSWAP_TRY(TlsContext tls, TlsContext::make(identity));
  return std::unique_ptr<Mesh>(new Mesh(io, hosts, identity, std::move(tls), std::move(handlers), limits));
}

Mesh::~Mesh() {
  *alive_ = false;
  for (const auto& [name, peer] : peers_) {
    if (peer->dial) peer->dial->cancel();
    if (peer->greeting) peer->greeting->abandon();
    for (const auto& session : peer->sessions) session->abandon();
  }
  for (const Porch* porch : {&hosts_porch_, &strangers_porch_})
    for (const auto& guest : porch->half_open)
      if (const auto session = guest.lock()) session->abandon();
}

Result<> Mesh::listen(const std::vector<Address>& bind) {
  const cluster::Host* self = hosts_.find(own_name_);
  if (self == nullptr) return failure(unknown_host(own_name_));
  std::vector<Endpoint> endpoints;
  for (const Address& address : bind.empty() ? self->addresses : bind)
    endpoints.push_back({address, self->port});
  SOCKSWAP_TRY(listener_, Listener::open(io_, endpoints, [this](Fd socket, const Endpoint& from) {
                 let_in(std::move(socket), from);
               }));
  return {};
}

// Also leaves the message's bytes in encoded_.
bool Mesh::sendable(const wire::Message& message, const std::vector<Bytes>& attachments) {
  const wire::Limits& limits = limits_.session.wire;
  std::uint64_t total = 0;
  for (const Bytes& attachment : attachments) total += attachment.size();
  message.SerializeToString(&encoded_);
  const std::uint64_t head = sizeof(std::uint32_t) + attachments.size() * sizeof(std::uint64_t);
  return attachments.size() <= limits.attachments && total <= limits.attachment_bytes &&
         encoded_.size() + head <= limits.message_bytes;
}

Result<> Mesh::send(const std::string& host, const wire::Message& message, std::vector<Bytes> attachments) {
  const InsideCall guard(inside_call_);
  if (!sendable(message, attachments))
    return failure(ErrorCode::too_large, "a message to " + host + " exceeds the protocol's limits",
                   "move fewer ends at once, or less state");
  if (host == own_name_) {
    post([this, message, attachments = std::move(attachments)]() mutable {
      handlers_.message({own_name_, std::move(message), std::move(attachments)});
    });
    return {};
  }
  if (hosts_.find(host) == nullptr) {
    post([this, host] { handlers_.lost(host, unknown_host(host)); });
    return {};
  }
  Peer& peer = peer_of(host);
  if (peer.loss) return {};
  const std::vector<ByteView> views(attachments.begin(), attachments.end());
  if (!peer.sessions.empty()) {
    peer.sessions.front()->send(encoded_, views);
    return {};
  }
  if (peer.waiting.size() > limits_.session.queue_bytes) {
    lose(peer, {.code = ErrorCode::no_resources, .message = "too much waits for a session", .hint = {}});
    return {};
  }
  wire::encode(peer.waiting, encoded_, views, 0, limits_.session.wire);
  if (!peer.connecting()) dial(peer);
  return {};
}

void Mesh::open(const std::string& host, Opened then) {
  const InsideCall guard(inside_call_);
  const bool known = hosts_.find(host) != nullptr;
  if (host == own_name_ || !known || !peer_of(host).sessions.empty()) {
    if (then)
      post([then = std::move(then), known, host] { then(known ? Result<>{} : failure(unknown_host(host))); });
    return;
  }
  Peer& peer = peer_of(host);
  if (then) peer.openers.push_back(std::move(then));
  if (!peer.connecting()) dial(peer);
}

HostState Mesh::state(const std::string& host) const {
  if (host == own_name_) return {.phase = HostState::Phase::connected, .last_error = {}, .round_trip = {}};
  if (hosts_.find(host) == nullptr)
    return {.phase = HostState::Phase::unreachable, .last_error = unknown_host(host), .round_trip = {}};
  const auto at = peers_.find(host);
  if (at == peers_.end()) return {};
  const Peer& peer = *at->second;
  HostState out{.phase = HostState::Phase::not_connected, .last_error = peer.last_error, .round_trip = {}};
  if (!peer.sessions.empty()) {
    out.phase = HostState::Phase::connected;
    out.round_trip = peer.sessions.front()->round_trip();
  } else if (peer.connecting()) {
    out.phase = HostState::Phase::connecting;
  } else if (peer.last_error) {
    out.phase = HostState::Phase::unreachable;
  }
  return out;
}

bool Mesh::covers(const std::string& host, const Address& address) const {
  if (host == own_name_) return std::ranges::count(own_addresses_, address) != 0;
  const auto at = peers_.find(host);
  return at != peers_.end() && std::ranges::count(at->second->covered, address) != 0;
}

void Mesh::reload(const cluster::HostTable& hosts) {
  const InsideCall guard(inside_call_);
  hosts_ = hosts;
  for (const auto& [name, peer] : peers_) {
    if (hosts_.find(name) != nullptr) continue;
    const Error removed{.code = ErrorCode::unknown_host,
                        .message = fmt::format("{} was removed from the cluster", name),
                        .hint = {}};
    peer->covered.clear();
    if (const auto dial = std::exchange(peer->dial, nullptr)) {
      dial->cancel();
      dial_failed(*peer, removed);
    }
    if (const auto greeting = peer->greeting) greeting->dismiss(removed);
    for (const auto sessions = peer->sessions; const auto& session : sessions) session->dismiss(removed);
  }
}

Mesh::Peer& Mesh::peer_of(const std::string& host) {
  std::unique_ptr<Peer>& peer = peers_[host];
  if (!peer) {
    peer = std::make_unique<Peer>();
    peer->name = host;
  }
  return *peer;
}

void Mesh::lose(Peer& peer, const Error& error) {
  peer.waiting = {};
  if (!peer.loss) peer.loss = error;
  if (!inside_call_) {
    report_loss(peer.name);
  } else {
    post([this, host = peer.name] { report_loss(host); });
  }
}

void Mesh::report_loss(const std::string& host) {
  const std::optional<Error> loss = std::exchange(peer_of(host).loss, std::nullopt);
  if (loss) handlers_.lost(host, *loss);
}

void Mesh::post(std::function<void()> action) {
  asio::post(io_, [alive = alive_, action = std::move(action)] {
    if (*alive) action();
  });
}

Session::Setting Mesh::setting() const {
  return {.io = io_, .tls = tls_, .own_name = own_name_, .limits = limits_.session};
}

}  // namespace sockswap::mesh
