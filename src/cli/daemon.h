// This host's sockswapd, asked one thing at a time. Here the control protocol's messages become plain
// data: what comes out has been checked, and no verb sees protobuf.
//
// Failure: an answer that doesn't come, or makes no sense, is an Error of code timed_out, no_daemon or
// internal. If that happens to a move which the daemon may have begun, the Error is in_doubt instead.
#pragma once

#include <chrono>
#include <string>

#include "base/result.h"
#include "cli/data.h"
#include "cli/progress.h"
#include "client/connection.h"

namespace sockswap::cli {

struct MoveOrder {
  FourTuple tuple;
  std::string to;
  std::string receiver;  // empty: the name that the holder itself is registered under
};

class Daemon {
 public:
  // Lists come from the daemon's memory and a dry run changes nothing: whoever is silent for so long hangs.
  static constexpr std::chrono::milliseconds default_patience = std::chrono::seconds(10);

  static Result<Daemon> connect(const std::string& control_socket,
                                std::chrono::milliseconds patience = default_patience);

  Result<HostList> hosts();
  Result<ConnectionList> connections();
  Result<MoveList> moves();
  // `id`: its 16 bytes.
  Result<> settle(const std::string& id, bool moved);

  // Waits as long as it takes: the daemon has a deadline of its own and always answers.
  Result<MoveResult> move(const MoveOrder& order, Progress& progress);
  Result<DryRun> dry_run(const MoveOrder& order);

 private:
  Daemon(client::ControlConnection connection, std::chrono::milliseconds patience)
      : connection_(std::move(connection)), patience_(patience) {}
  // The reply to that request that is no Progress.
  Result<wire::Reply> await(std::uint64_t number, client::Deadline deadline, Progress* progress);
  // Sends, awaits; Failed becomes the Error that it carries.
  Result<wire::Reply> ask(const wire::Request& request, wire::Reply::BodyCase expected);

  client::ControlConnection connection_;
  std::chrono::milliseconds patience_;
};

}  // namespace sockswap::cli
