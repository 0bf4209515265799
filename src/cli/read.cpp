#include "cli/read.h"

#include <fmt/format.h>

#include <limits>

#include "cli/daemon.h"
#include "wire/endpoints.h"
#include "wire/errors.h"

namespace sockswap::cli {
namespace {

tl::unexpected<Error> nonsense(std::string_view what, const Error& why) {
  return failure(ErrorCode::internal, fmt::format("sockswapd's reply has a bad {}: {}", what, why.text()));
}

Result<FourTuple> read(const wire::FourTuple& tuple) {
  auto out = wire::from_message(tuple);
  if (!out) return nonsense("connection", out.error());
  return *out;
}

std::string hex(std::string_view bytes) {
  std::string out;
  for (const char byte : bytes) out += fmt::format("{:02x}", static_cast<unsigned char>(byte));
  return out;
}

template <class Steps>
std::vector<Step> read_steps(const Steps& steps) {
  std::vector<Step> out;
  for (const wire::Step& step : steps) out.push_back(cli::read(step));
  return out;
}

// "no: TCP-MD5 key": the reason alone.
std::string reason_of(std::string_view movable) {
  if (movable.starts_with("no: ")) movable.remove_prefix(4);
  return movable.empty() ? "sockswapd gives no reason" : std::string(movable);
}

Result<Host> read(const wire::Hosts::Host& host) {
  Host out{.name = host.name(),
           .addresses = {},
           .port = 0,
           .state = host.state(),
           .round_trip_us = {},
           .error = host.error()};
  for (const std::string& bytes : host.addresses()) {
    auto address = Address::from_bytes(view_of(bytes));
    if (!address) return nonsense("address", address.error());
    out.addresses.push_back(*address);
  }
  if (host.port() > std::numeric_limits<std::uint16_t>::max())
    return failure(ErrorCode::internal, fmt::format("sockswapd's reply has a bad port: {}", host.port()));
  out.port = static_cast<std::uint16_t>(host.port());
  if (host.round_trip_us() > 0) out.round_trip_us = host.round_trip_us();
  return out;
}

Result<Connection> read(const wire::Connections::Connection& connection) {
  SOCKSWAP_TRY(const FourTuple tuple, read(connection.tuple()));
  Connection out{.tuple = tuple,
                 .state = connection.state(),
                 .uid = connection.uid(),
                 .receive_queue_bytes = connection.receive_queue(),
                 .send_queue_bytes = connection.send_queue(),
                 .peer = connection.peer(),
                 .processes = {},
                 .receiver = connection.receiver(),
                 .immovable = {}};
  for (const auto& process : connection.processes())
    out.processes.push_back({static_cast<pid_t>(process.pid()),
                             process.command(),
                             {process.descriptors().begin(), process.descriptors().end()}});
  if (connection.movable() != "yes") out.immovable = reason_of(connection.movable());
  return out;
}

Result<MoveRecord> read(const wire::Moves::Record& move) {
  MoveRecord out{.move_id = hex(move.move_id()),
                 .role = move.role(),
                 .state = move.state(),
                 .origin = move.origin(),
                 .destination = move.destination(),
                 .receiver = move.receiver(),
                 .ends = {},
                 .steps = read_steps(move.steps()),
                 .error = {},
                 .began_unix_us = move.began_unix_us(),
                 .pause_us = move.pause_us()};
  for (const auto& end : move.ends()) {
    SOCKSWAP_TRY(const FourTuple tuple, read(end));
    out.ends.push_back(tuple);
  }
  // A record without an error has none set, or one of code ok.
  if (move.error().code() != 0) out.error = wire::from_message(move.error());
  return out;
}

}  // namespace

Step read(const wire::Step& step) { return {step.name(), step.at_us()}; }

MoveResult read(const wire::Moved& moved, const MoveOrder& order) {
  return {.tuple = order.tuple,
          .to = order.to,
          .move_id = hex(moved.move_id()),
          .pause_us = moved.pause_us(),
          .steps = read_steps(moved.steps())};
}

Result<HostList> read(const wire::Hosts& hosts) {
  HostList out;
  for (const auto& it : hosts.hosts()) {
    SOCKSWAP_TRY(Host host, read(it));
    out.hosts.push_back(std::move(host));
  }
  return out;
}

Result<ConnectionList> read(const wire::Connections& connections) {
  ConnectionList out;
  for (const auto& it : connections.connections()) {
    SOCKSWAP_TRY(Connection connection, read(it));
    out.connections.push_back(std::move(connection));
  }
  return out;
}

Result<MoveList> read(const wire::Moves& moves) {
  MoveList out;
  for (const auto& it : moves.moves()) {
    SOCKSWAP_TRY(MoveRecord move, read(it));
    out.moves.push_back(std::move(move));
  }
  return out;
}

}  // namespace sockswap::cli
