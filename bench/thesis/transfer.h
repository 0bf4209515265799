// One transfer of the payload, and what was seen of it.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "stage.h"

namespace sockswap::thesis {

struct Sample {
  double at_s = 0;  // since the transfer began
  std::uint64_t bytes = 0;
};

struct Measured {
  double seconds = 0;   // from the connection's acceptance to the end of the stream, at the receiver
  double stall_ms = 0;  // the longest time without a byte at the receiver
  double stall_at_s = 0;
  std::optional<double> moved_at_s;
  std::optional<double> pause_ms;          // of the move, as its daemons timed it
  std::optional<double> staying_pause_ms;  // how long the program at the staying end stood still for it
  double cpu_s = 0;                        // of all hosts, if nothing else ran
  // Through the home host: all of a connection's bytes for a relay; of a moved one those after the move.
  std::optional<std::uint64_t> home_bytes;
  std::uint64_t timeouts = 0;  // retransmission timeouts of all hosts
  std::vector<Sample> samples;
};

// Which way a connection goes, and what becomes of its ends.
struct Course {
  enum class Moves { none, receiver, sender };
  enum class Relay { none, user_space, kernel };
  Moves moves = Moves::none;  // at half, from beta to gamma
  Relay relay = Relay::none;  // on beta, for an end that is on gamma
};

// By socat on alpha (the sender moves: by a program that lets it move) to sockswap-thesis-end.
Result<Measured> transfer(Stage& stage, const Payload& payload, const Course& course);
// Without anything that moves or relays: at half the receiver ends, and another one on gamma asks for the
// rest.
Result<Measured> resume(Stage& stage, const Payload& payload);

// Median of the round trips, in µs, that a program sees at the end of such a course (after the move).
Result<double> round_trip_us(Stage& stage, const Course& course, int requests);

}  // namespace sockswap::thesis
