#include <fmt/format.h>

#include <algorithm>
#include <asio/post.hpp>
#include <utility>

#include "base/log.h"
#include "cluster/certificate.h"
#include "mesh/mesh.h"
#include "mesh/peer.h"

namespace sockswap::mesh {

void Mesh::let_in(Fd socket, const Endpoint& from) {
  Porch& porch = hosts_.host_of(from.address) != nullptr ? hosts_porch_ : strangers_porch_;
  std::erase_if(porch.half_open, [](const std::weak_ptr<Session>& guest) {
    const auto session = guest.lock();
    return !session || session->phase() == Session::Phase::open || session->phase() == Session::Phase::closed;
  });
  // The oldest goes, not the newest: a host needs milliseconds for its handshake, and so gets through
  // even while somebody else holds as many connections as they can without a word.
  if (porch.half_open.size() >= limits_.half_open) {
    if (const auto oldest = porch.half_open.front().lock()) {
      const bool judged = oldest->phase() == Session::Phase::leaving;
      oldest->abandon();
      if (!judged)
        turned_away(
            oldest->remote(),
            {.code = ErrorCode::no_resources, .message = "too many connections without a Hello", .hint = {}});
    }
    porch.half_open.pop_front();
  }
  auto session = Session::accept(setting(), *this, porch.turnstile, std::move(socket), from.text());
  if (!session) {
    turned_away(from.text(), session.error());
    return;
  }
  porch.half_open.push_back(*session);
}

void Mesh::dial(Peer& peer) {
  const cluster::Host& host = *hosts_.find(peer.name);
  std::vector<Endpoint> endpoints;
  for (const Address& address : host.addresses) endpoints.push_back({address, host.port});
  peer.dial = Dial::start(io_, std::move(endpoints), limits_.connect,
                          [this, name = peer.name](Result<Fd> socket) { dialled(name, std::move(socket)); });
}

void Mesh::dialled(const std::string& host, Result<Fd> socket) {
  Peer& peer = peer_of(host);
  peer.dial = nullptr;
  if (!socket) {
    dial_failed(peer, socket.error());
    return;
  }
  auto session = Session::dial(setting(), *this, *std::move(socket), host);
  if (!session) {
    dial_failed(peer, session.error());
    return;
  }
  peer.greeting = *std::move(session);
}

void Mesh::dial_failed(Peer& peer, const Error& error) {
  log::warn("{}: no session: {}", peer.name, error.text());
  peer.last_error = error;
  tell_openers(peer, failure(error));
  if (!peer.waiting.empty()) lose(peer, error);
}

void Mesh::tell_openers(Peer& peer, const Result<>& outcome) {
  if (peer.openers.empty()) return;
  post([openers = std::exchange(peer.openers, {}), outcome] {
    for (const Opened& opener : openers) opener(outcome);
  });
}

void Mesh::turned_away(const std::string& remote, const Error& error) {
  log::warn("{}: turned away: {}", remote, error.text());
  if (!handlers_.refused) return;
  if (inside_call_) {
    post([this, remote, error] { handlers_.refused(remote, error); });
  } else {
    handlers_.refused(remote, error);
  }
}

Result<> Mesh::admit(const Session&, const std::string& host) {
  if (hosts_.find(host) != nullptr && host != own_name_) return {};
  return failure(ErrorCode::unknown_host,
                 fmt::format("'{}' is no other host of {}'s cluster", host, own_name_),
                 "every host needs the same hosts.toml");
}

void Mesh::opened(Session& session) {
  Peer& peer = peer_of(session.host());
  if (session.was_dialled()) {
    peer.greeting = nullptr;
  } else {
    // A host dials only when it has no session: the one accepted from it before is dead, though the kernel
    // hasn't noticed yet (the host was switched off and on again, say).
    const auto sessions = peer.sessions;
    for (const auto& older : sessions)
      if (!older->was_dialled())
        older->dismiss(
            {.code = ErrorCode::unreachable, .message = "replaced by a newer session", .hint = {}});
  }
  log::info("{}: session open", peer.name);
  peer.last_error.reset();
  peer.covered = cluster::addresses_of(*session.certificate());
  peer.sessions.push_back(session.shared_from_this());
  tell_openers(peer, {});
  if (!peer.waiting.empty()) peer.sessions.front()->send_encoded(std::exchange(peer.waiting, {}));
}

void Mesh::received(Session& session, wire::Message message, std::vector<Bytes> attachments) {
  handlers_.message({session.host(), std::move(message), std::move(attachments)});
}

void Mesh::failed(Session& session, const Error& error) {
  const auto at = peers_.find(session.host());
  if (at != peers_.end()) {
    Peer& peer = *at->second;
    if (peer.greeting.get() == &session) {
      peer.greeting = nullptr;
      dial_failed(peer, error);
      return;
    }
    if (std::erase_if(peer.sessions, [&](const auto& open) { return open.get() == &session; }) != 0) {
      log::warn("{}: session lost: {}", peer.name, error.text());
      peer.last_error = error;
      lose(peer, error);
      return;
    }
  }
  turned_away(
      session.host().empty() ? session.remote() : fmt::format("{} ({})", session.remote(), session.host()),
      error);
}

}  // namespace sockswap::mesh
