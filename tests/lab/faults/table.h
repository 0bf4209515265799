// The table of faults: every named step of every role (docs/protocol.md, section 6) × everything that can end
// there. Pure.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sockswap::faults {

// The hosts are called by their roles in the one move that is made.
inline constexpr const char* roles[] = {"origin", "destination", "peer"};

enum class Deed {
  kill,       // SIGKILL to the host's sockswapd; its keeper lives on
  power,      // all of the host's processes end at once, without a word
  cut,        // the host's link, both ways
  cut_in,     // what comes to it is lost
  cut_out,    // what it sends is lost
  kill_both,  // sockswapd and its keeper: in no table yet
};
std::string_view name(Deed deed);

struct Fault {
  Deed deed = Deed::kill;
  std::string host;
};

// How a move is brought to a step that it doesn't pass on its own.
enum class Way {
  straight,
  long_state,  // State goes ahead of the freeze
  slow_peer,   // the peer stands still at `paused` until the origin's deadline is over: the move is undone
  slow_destination,  // the destination stands still at `letting go`, so that Activated can't overtake Swapped
  lost_origin,  // the origin's sockswapd is killed at `held`, and comes back with what the fault has ended
};

struct Instant {
  std::string role, step;
  Way way = Way::straight;
};
const std::vector<Instant>& instants();

struct Case {
  Instant at;
  Fault fault;
  std::chrono::milliseconds lasts{300};

  std::string name() const;  // "peer:held/kill-origin", "destination:in-doubt/cut-peer/6000ms"
  // May the moving end be lost with the destination's power? From when it may have said Ready: the origin
  // then asks the arbiter, unless it notices (docs/protocol.md, "What is lost").
  bool destination_may_lose() const;
};

// All, in a fixed order: each instant × each fault for 0.3 s, and those that leave a program standing still
// for longer than the keeper's hold limit, too.
std::vector<Case> table();
// By its name, also one that isn't in the table; nothing if that is no name.
std::optional<Case> find(const std::string& name);
// `count` different ones; the same for the same seed.
std::vector<Case> sample(std::uint64_t seed, std::size_t count);

}  // namespace sockswap::faults
