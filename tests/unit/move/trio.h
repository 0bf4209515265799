// The three machines of a move, wired to each other, with a kernel that is only a note of where each end is.
// No time passes but when a test says so. Every action is checked against what must never happen.
#pragma once

#include <deque>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "move/destination.h"
#include "move/dispatch.h"
#include "move/origin.h"
#include "move/peer.h"

namespace sockswap::move::test {

std::string kind(const wire::Message& message);  // "offer"

// Where the ends of the one connection are. Two peers would differ in nothing but names.
enum class Moving { live, frozen, released };
enum class Staying { live_to_origin, frozen, live_to_destination, lost };
enum class Arriving { none, reserved, dormant, live, closed };

struct Faults {
  std::string failing_action = {};       // "reserve", "rebuild", "find", "hold", "freeze"
  std::optional<int> lose_message = {};  // the n-th that is sent, with the session it was on
  bool staying_end_is_lost = false;      // the swap of it fails
  std::uint64_t state_bytes = 0;         // not a fault, but another way
  bool dry_run = false;                  // likewise
};

class Trio {
 public:
  explicit Trio(Faults faults = {});

  // Runs until nothing is left to do; timers fire when nothing else happens, `timers` times at most.
  void run(int timers = 50);

  // Everything has come to rest: the connection is whole at the one place or the other.
  bool whole_at_origin() const {
    return moving == Moving::live && staying == Staying::live_to_origin && arriving == Arriving::none;
  }
  bool whole_at_destination() const {
    return moving == Moving::released && staying == Staying::live_to_destination &&
           arriving == Arriving::live;
  }

  Moving moving = Moving::live;
  Staying staying = Staying::live_to_origin;
  Arriving arriving = Arriving::none;
  std::vector<std::string> history;     // "origin: step agreed", "origin -> peer: hold" …
  std::vector<std::string> violations;  // what must never happen, and did
  int messages = 0;                     // sent so far
  std::optional<Error> outcome;         // as the origin's caller was told; see `concluded`
  bool concluded = false;

  // Puts a message in by hand, as if `from` had sent it to `to`.
  void inject(const std::string& from, const std::string& to, wire::Message message);
  wire::Message blank() const;
  void receiver_dies() {
    destination_actions(destination_->on_receiver_gone({ErrorCode::receiver_gone, "gone", "", 0}));
  }
  std::function<void(const std::string& event)> watch;  // called with each line of the history

 private:
  struct Letter {
    std::string from, to;
    wire::Message message;
  };
  void note(std::string line);
  void require(bool holds, const std::string& what);
  void post(const std::string& from, const std::string& to, const wire::Message& message);
  void lose_session(const std::string& a, const std::string& b);
  void deliver(const Letter& letter);
  bool fire_timer();
  void origin_actions(Origin::Actions actions);
  void destination_actions(Destination::Actions actions);
  void peer_actions(Peer::Actions actions);

  Faults faults_;
  OriginPlan plan_;
  std::optional<Origin> origin_;
  std::optional<Destination> destination_;
  std::optional<Peer> peer_;
  bool asked_ = false, committed_ = false;
  std::set<std::string> timers_;  // whose timer is set
  std::deque<Letter> letters_;
};

}  // namespace sockswap::move::test
