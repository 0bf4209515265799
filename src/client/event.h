// What the daemon says of its own accord to a program: ends have arrived, or one is wanted elsewhere.
//
// Owns the descriptors of an arrival until they are taken.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/endpoint.h"
#include "base/fd.h"
#include "base/result.h"
#include "client/connection.h"

namespace sockswap::client {

struct Event {
  enum class Kind { arrival, hand_over };
  struct End {
    FourTuple tuple;  // now
    Endpoint former_local;
    int family = 0;  // how the socket itself spells its addresses: AF_INET or AF_INET6
    Fd fd;           // arrival only
  };

  Kind kind = Kind::arrival;
  std::vector<End> ends;     // hand_over: the one that is wanted
  std::string host;          // arrival: where from; hand_over: where to
  std::string receiver;      // hand_over
  Bytes state;               // arrival
  std::uint64_t number = 0;  // hand_over

  static bool is_event(const wire::Reply& reply) { return reply.has_arrival() || reply.has_hand_over(); }

  // Requires is_event(). On failure the descriptors that came along are closed.
  static Result<Event> from(Incoming incoming);
};

}  // namespace sockswap::client
