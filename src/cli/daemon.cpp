#include "cli/daemon.h"

#include <fmt/format.h>

#include <algorithm>

#include "cli/read.h"
#include "wire/endpoints.h"
#include "wire/errors.h"

namespace sockswap::cli {
namespace {

tl::unexpected<Error> unexpected_reply(wire::Reply::BodyCase got) {
  return failure(ErrorCode::internal,
                 fmt::format("sockswapd's reply is of the wrong kind ({})", static_cast<int>(got)),
                 "are sockswapd and sockswap of the same version?");
}

wire::Request move_request(wire::Request request, const MoveOrder& order, bool dry_run) {
  auto& body = *request.mutable_move_connection();
  wire::to_message(order.tuple, *body.mutable_tuple());
  body.set_to(order.to);
  body.set_receiver(order.receiver);
  body.set_dry_run(dry_run);
  return request;
}

// Nobody has said how the move ended.
Error in_doubt(const Error& cause) {
  return {.code = ErrorCode::in_doubt,
          .message = "the move's outcome is not known: " + cause.text(),
          .hint = "`sockswap moves` shows it; the daemon finishes or undoes the move by itself",
          .sys_errno = 0};
}

}  // namespace

Result<Daemon> Daemon::connect(const std::string& control_socket, std::chrono::milliseconds patience) {
  SOCKSWAP_TRY(auto connection, client::ControlConnection::connect(control_socket));
  return Daemon(std::move(connection), patience);
}

Result<wire::Reply> Daemon::await(std::uint64_t number, client::Deadline deadline, Progress* progress) {
  for (;;) {
    if (client::Clock::now() >= deadline)
      return failure(ErrorCode::timed_out, "sockswapd doesn't answer",
                     "see sockswapd's log; nothing was changed");
    const auto tick = progress != nullptr ? progress->next_tick() : client::never;
    auto incoming = connection_.receive(std::min(tick, deadline));
    if (!incoming) {
      Error& error = incoming.error();
      if (error.code == ErrorCode::no_daemon) error.hint = "see sockswapd's log";
      return failure(std::move(error));
    }
    if (!*incoming) {
      if (progress != nullptr) progress->tick();
      continue;
    }
    wire::Reply& reply = (*incoming)->reply;
    if (reply.number() != number) continue;  // said of its own accord, or to nobody
    if (!reply.has_progress()) return std::move(reply);
    if (progress != nullptr) progress->step(read(reply.progress().step()));
  }
}

Result<wire::Reply> Daemon::ask(const wire::Request& request, wire::Reply::BodyCase expected) {
  SOCKSWAP_CHECK(connection_.send(request));
  SOCKSWAP_TRY(wire::Reply reply, await(request.number(), client::after(patience_), nullptr));
  if (reply.has_failed()) return failure(wire::from_message(reply.failed().error()));
  if (reply.body_case() != expected) return unexpected_reply(reply.body_case());
  return reply;
}

Result<HostList> Daemon::hosts() {
  wire::Request request = connection_.request();
  request.mutable_list_hosts();
  SOCKSWAP_TRY(const wire::Reply reply, ask(request, wire::Reply::kHosts));
  return read(reply.hosts());
}

Result<ConnectionList> Daemon::connections() {
  wire::Request request = connection_.request();
  request.mutable_list_connections();
  SOCKSWAP_TRY(const wire::Reply reply, ask(request, wire::Reply::kConnections));
  return read(reply.connections());
}

Result<MoveList> Daemon::moves() {
  wire::Request request = connection_.request();
  request.mutable_list_moves();
  SOCKSWAP_TRY(const wire::Reply reply, ask(request, wire::Reply::kMoves));
  return read(reply.moves());
}

Result<> Daemon::settle(const std::string& id, bool moved) {
  wire::Request request = connection_.request();
  request.mutable_settle_move()->set_move_id(id);
  request.mutable_settle_move()->set_moved(moved);
  SOCKSWAP_CHECK(ask(request, wire::Reply::kDone));
  return {};
}

Result<DryRun> Daemon::dry_run(const MoveOrder& order) {
  SOCKSWAP_CHECK(ask(move_request(connection_.request(), order, true), wire::Reply::kDone));
  return DryRun{order.tuple, order.to};
}

Result<MoveResult> Daemon::move(const MoveOrder& order, Progress& progress) {
  const wire::Request request = move_request(connection_.request(), order, false);
  // The daemon acts on whole requests only: one that couldn't be sent has begun nothing.
  SOCKSWAP_CHECK(connection_.send(request));
  auto reply = await(request.number(), client::never, &progress);
  progress.end();
  if (!reply) return failure(in_doubt(reply.error()));
  if (reply->has_failed()) return failure(wire::from_message(reply->failed().error()));
  if (!reply->has_moved()) return failure(in_doubt(unexpected_reply(reply->body_case()).value()));
  return read(reply->moved(), order);
}

}  // namespace sockswap::cli
