// What each role writes down, and when: the states that a daemon must find again after a crash.
//
// A machine asks for a record *before* the step that memory alone could not undo; whoever performs the
// actions writes it, with what the step will need, and only then goes on. Order in a whole move:
//
//   origin       freezing ─ committed ─────────────────── finished
//   destination       reserved ─ ready ─── live ───────── finished
//   peer              holding ─ held ─ swapping ─ swapped ─ finished
//
// Without `committed` a move never happened: whoever asks a restarted origin about it is told to undo.
#pragma once

#include <string_view>

namespace sockswap::move {

enum class Mark {
  origin_freezing,   // with: 4-tuples of the moving ends
  origin_committed,  // with: their images, peers, destination: the point of no return
  origin_finished,
  destination_reserved,  // with: the reserved endpoints
  destination_ready,     // with: images, receiver, state
  destination_live,
  destination_finished,
  peer_holding,   // with: 4-tuples and holders of the staying ends
  peer_held,      // with: their images
  peer_swapping,  // with: where they are re-pointed to, what was in flight
  peer_swapped,
  peer_finished,
};

std::string_view name(Mark mark);  // "origin-committed"

}  // namespace sockswap::move
