#include "daemon/listing.h"

#include <fmt/format.h>
#include <netinet/tcp.h>

#include "daemon/program.h"
#include "wire/endpoints.h"

namespace sockswap::daemon {
namespace {

std::string state_name(std::uint8_t state) {
  switch (state) {
    case TCP_ESTABLISHED: return "ESTABLISHED";
    case TCP_SYN_SENT: return "SYN_SENT";
    case TCP_SYN_RECV: return "SYN_RECV";
    case TCP_FIN_WAIT1: return "FIN_WAIT1";
    case TCP_FIN_WAIT2: return "FIN_WAIT2";
    case TCP_CLOSE_WAIT: return "CLOSE_WAIT";
    case TCP_LAST_ACK: return "LAST_ACK";
    case TCP_CLOSING: return "CLOSING";
    default: return fmt::format("state {}", state);
  }
}

const char* phase_name(HostState::Phase phase) {
  switch (phase) {
    case HostState::Phase::not_connected: return "not-connected";
    case HostState::Phase::connecting: return "connecting";
    case HostState::Phase::connected: return "connected";
    case HostState::Phase::unreachable: return "unreachable";
  }
  return "";
}

// The host of the other end, or "" if the cluster has none with that address.
std::string peer_of(const Context& context, const FourTuple& tuple) {
  if (tuple.remote.address.is_loopback()) return context.self;
  const cluster::Host* host = context.hosts.host_of(tuple.remote.address);
  return host == nullptr ? std::string{} : host->name;
}

std::string movable(const keep::Connection& connection, const std::string& peer) {
  if (connection.state != TCP_ESTABLISHED) return state_name(connection.state);
  if (connection.has_md5_key) return "TCP-MD5 key";
  if (peer.empty()) return "the other end's host is not in the cluster";
  if (connection.holders.empty()) return "no process here holds it";
  return connection.not_pausable.empty() ? "yes" : connection.not_pausable;
}

void add_processes(const std::vector<keep::Holder>& holders, wire::Connections::Connection& out) {
  for (const keep::Holder& holder : holders) {
    wire::Connections::Process& process = *out.add_processes();
    process.set_pid(static_cast<std::uint32_t>(holder.pid));
    process.set_command(holder.command);
    for (const int fd : holder.descriptors) process.add_descriptors(static_cast<std::uint32_t>(fd));
  }
}

}  // namespace

wire::Reply hosts_reply(const Context& context) {
  wire::Reply reply;
  for (const auto& [name, host] : context.hosts.hosts()) {
    wire::Hosts::Host& out = *reply.mutable_hosts()->add_hosts();
    out.set_name(name);
    for (const Address& address : host.addresses) out.add_addresses(std::string(text_of(address.bytes())));
    out.set_port(host.port);
    if (name == context.self) {
      out.set_state("self");
      continue;
    }
    const HostState state = context.mesh.state(name);
    out.set_state(phase_name(state.phase));
    if (state.round_trip)
      out.set_round_trip_us(std::chrono::duration<double, std::micro>(*state.round_trip).count());
    if (state.last_error && state.phase != HostState::Phase::connected)
      out.set_error(state.last_error->text());
  }
  return reply;
}

Result<wire::Reply> connections_reply(const Context& context, const HandOvers& hand_overs) {
  SOCKSWAP_TRY(const auto connections, context.keeper.connections());
  wire::Reply reply;
  wire::Connections& list = *reply.mutable_connections();
  for (const keep::Connection& connection : connections) {
    wire::Connections::Connection& out = *list.add_connections();
    wire::to_message(connection.tuple, *out.mutable_tuple());
    out.set_state(state_name(connection.state));
    out.set_uid(connection.uid);
    out.set_receive_queue(connection.receive_queue);
    out.set_send_queue(connection.send_queue);
    out.set_peer(peer_of(context, connection.tuple));
    out.set_movable(movable(connection, out.peer()));
    add_processes(connection.holders, out);
    if (const auto program = hand_overs.program_for(connection.holders))
      out.set_receiver(program->names().front());
  }
  return reply;
}

}  // namespace sockswap::daemon
