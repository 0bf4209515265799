// Ways in which the protocol could be wrong. Each must be noticed.
#pragma once

#include <array>
#include <string_view>

namespace sockswap::simulation {

enum class Mutant {
  none,
  origin_decides_unwritten,         // the record of having asked the arbiter is left out
  origin_releases_early,            // the old ends go as soon as the arbiter is asked
  origin_undoes_when_in_doubt,      // the arbiter's silence is taken for a no
  origin_trusts_forgetful_arbiter,  // an arbiter without memory is taken for one that has undone
  others_swap_with_arbiter,         // all peers are told at once, not after the arbiter
  ready_unwritten,                  // a destination forgets what it has promised
  live_unwritten,                   // a destination forgets that it let its ends go
  live_when_ready,                  // a destination lets its ends go when they are rebuilt
  live_on_first_swap,               // a destination doesn't wait for every peer
  destination_drops_in_doubt,       // silence is taken for a no
  held_unwritten,                   // a peer forgets what it has promised
  swapping_unwritten,               // a peer forgets that it swaps
  arbiter_never_gives_up,           // it waits for its origin without end
  keeper_never_gives_up,            // a program stands still as long as its host's daemon is away
  arbiter_forgets_undone,           // it undoes by itself, and swaps when it is told to
  peer_decides_in_doubt,            // another peer than the arbiter takes silence for a no
  peer_resumes_before_swap,         // the program runs on while its end is taken apart
  peer_keeps_frozen_on_undo,        // the undo of the staying end is left out
  origin_keeps_frozen_on_undo,      // the undo of the moving end is left out
  destination_keeps_on_undo,        // the undo at the destination is left out
  in_flight_forgotten,              // what the moving end had in flight isn't put into the receive queue
  sent_not_cut,                     // what the moving end has received already is sent to it again
  torn_record_believed,             // a record without a whole checksum is read
  journal_of_another_boot,          // records are believed whose sockets are gone
};

inline constexpr std::array all_mutants = {
    Mutant::origin_decides_unwritten,
    Mutant::origin_releases_early,
    Mutant::origin_undoes_when_in_doubt,
    Mutant::origin_trusts_forgetful_arbiter,
    Mutant::others_swap_with_arbiter,
    Mutant::ready_unwritten,
    Mutant::live_unwritten,
    Mutant::live_when_ready,
    Mutant::live_on_first_swap,
    Mutant::destination_drops_in_doubt,
    Mutant::held_unwritten,
    Mutant::swapping_unwritten,
    Mutant::arbiter_never_gives_up,
    Mutant::keeper_never_gives_up,
    Mutant::arbiter_forgets_undone,
    Mutant::peer_decides_in_doubt,
    Mutant::peer_resumes_before_swap,
    Mutant::peer_keeps_frozen_on_undo,
    Mutant::origin_keeps_frozen_on_undo,
    Mutant::destination_keeps_on_undo,
    Mutant::in_flight_forgotten,
    Mutant::sent_not_cut,
    Mutant::torn_record_believed,
    Mutant::journal_of_another_boot,
};

std::string_view name(Mutant mutant);

}  // namespace sockswap::simulation
