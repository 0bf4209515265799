// What the machines of a move ask for. A machine never does anything: it takes an event and returns
// actions, to be performed in order by one executor, which feeds outcomes back as further events.
#pragma once

#include <chrono>
#include <iterator>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/endpoint.h"
#include "base/error.h"
#include "move/lost_ends.h"
#include "socket/image.h"
#include "wire/journal.pb.h"
#include "wire/session.pb.h"

namespace sockswap::move::action {

// ---- every role ----
struct Send {
  std::string to;  // host
  wire::Message message;
};
// Into the journal, before the actions that follow. If a needed record can't be written, those are not
// performed, and on_unwritten() follows instead.
struct Write {
  wire::JournalRecord record;
  bool needed = true;
};
// A step of the move has been reached; for people and figures. Names: docs/protocol.md.
struct Step {
  std::string_view name;
};
// One timer a machine; setting it again replaces it. Its event is on_timer().
struct SetTimer {
  std::chrono::milliseconds after;
};
// The machine is over; nothing more will come from it or should go to it.
struct Finish {};

// ---- origin ----
struct FreezeMoving {};  // freeze and capture every moving end -> on_frozen | on_failure
struct SendState {};     // State to the destination: the application's state, ahead of the freeze
struct SendHold {        // Hold to this peer, with what its moving ends had in flight
  std::string peer;
  wire::Message message;
};
struct SendDeliver {
};  // Deliver to the destination: the images, their queues, the state unless it went ahead
struct ReleaseMoving {};  // the old ends vanish silently
struct ThawMoving {};     // undo: the moving ends go on where they are
// The outcome, for the program (or operator) that asked. Comes once; or twice, if the first was in_doubt.
struct Conclude {
  std::optional<Error> error;  // none: moved
};

// ---- destination ----
struct ReserveEnds {};  // -> on_reserved | on_failure
struct TakeState {};    // from the State just received -> on_state_taken | on_failure
struct RebuildEnds {};  // from the Deliver just received -> on_rebuilt | on_failure
struct LetGo {          // thaw all but those that are lost, hand them to the receiver -> on_live
  LostEnds lost;
};
struct DropEnds {};  // undo: reservations and dormant ends vanish silently

// ---- peer ----
struct FindEnds {};       // find, check, look up holders -> on_found | on_failure
struct HoldEnds {};       // pause, freeze, capture -> on_held | on_failure (with everything as it was)
struct SwapEnds {};       // re-point, thaw -> on_swapped | on_undone_already
struct ResumeHolders {};  // after SwapEnds: the programs run on
struct ThawEnds {};       // undo: thaw, resume

}  // namespace sockswap::move::action

namespace sockswap::move {

template <class Action>
void append(std::vector<Action>& actions, std::vector<Action> more) {
  actions.insert(actions.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
}

}  // namespace sockswap::move
