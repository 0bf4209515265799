// What the keeper keeps, as a daemon sees it that has just started.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/endpoint.h"
#include "move/id.h"
#include "wire/session.pb.h"

namespace sockswap::keep {

// How far a move has come in the kernel. Numbers don't change their meaning.
enum class Stage : std::uint8_t {
  frozen = 1,    // origin: until it is released or thawed
  reserved = 2,  // destination
  rebuilt = 3,   // destination: dormant
  let_go = 4,    // destination: ordinary sockets, not handed over yet
  found = 5,     // peer: nothing is changed yet
  held = 6,      // peer: programs paused, ends frozen
  swapped = 7,   // peer: ends re-pointed, programs still paused
  resumed = 8,   // peer: over; remembered for a daemon that isn't sure
  undone = 9,    // peer: undone by the keeper or by Undo; remembered likewise
};

std::string_view name(Stage stage);

struct KeptMove {
  move::MoveId id;
  wire::Role role = wire::NO_ROLE;
  Stage stage = Stage::frozen;
  std::vector<FourTuple>
      ends;  // as they were before, as this host's programs saw them; destination: the origin's
};

struct Stored {
  std::string key;
  uid_t owner = 0;
  std::size_t ends = 0;
  std::size_t state_bytes = 0;
};

struct Inventory {
  std::vector<KeptMove> moves;
  std::vector<Stored> stored;  // those whose connections live
};

}  // namespace sockswap::keep
