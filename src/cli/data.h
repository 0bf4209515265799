// What verbs hand to the output: plain data, already checked, free of the wire's types. The units are in
// the names, because the same names become the keys of the JSON.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/endpoint.h"
#include "base/error.h"
#include "check/features.h"

namespace sockswap::cli {

struct FeatureReport {
  std::vector<check::Feature> features;

  bool sufficient() const;  // is everything there that is required?
};

struct Host {
  std::string name;
  std::vector<Address> addresses;
  std::uint16_t port = 0;
  std::string state;                    // self, connected, not-connected, unreachable
  std::optional<double> round_trip_us;  // unknown for self and before the first session
  std::string error;                    // of the last attempt to reach it
};
struct HostList {
  std::vector<Host> hosts;
};

struct Process {
  pid_t pid = 0;
  std::string command;
  std::vector<std::uint32_t> descriptors;
};
struct Connection {
  FourTuple tuple;
  std::string state;
  std::uint32_t uid = 0;
  std::uint32_t receive_queue_bytes = 0;
  std::uint32_t send_queue_bytes = 0;
  std::string peer;  // host of the other end; empty: none of the cluster
  std::vector<Process> processes;
  std::string receiver;   // the holder's, if it hands over on demand
  std::string immovable;  // why it can't be moved; empty: it can

  bool movable() const { return immovable.empty(); }
};
struct ConnectionList {
  std::vector<Connection> connections;
};

struct Step {
  std::string name;
  double at_us = 0;  // since the move began
};
struct MoveResult {
  FourTuple tuple;  // before the move
  std::string to;
  std::string move_id;  // 32 hex digits
  double pause_us = 0;
  std::vector<Step> steps;
};
struct DryRun {
  FourTuple tuple;
  std::string to;
};

struct MoveRecord {
  std::string move_id;
  std::string role;  // of this host: origin, destination, peer
  std::string state;
  std::string origin;
  std::string destination;
  std::string receiver;
  std::vector<FourTuple> ends;  // before the move
  std::vector<Step> steps;
  std::optional<Error> error;
  std::int64_t began_unix_us = 0;
  double pause_us = 0;
};
struct MoveList {
  std::vector<MoveRecord> moves;
};

struct ClusterChange {
  std::string done;  // what was made, one line
  std::vector<std::string> files;
  std::vector<std::string> next;  // what to do now, a line each
};

struct Version {
  std::string version;
};

}  // namespace sockswap::cli
