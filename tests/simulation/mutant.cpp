#include "mutant.h"

namespace sockswap::simulation {

std::string_view name(Mutant mutant) {
  switch (mutant) {
    case Mutant::origin_decides_unwritten: return "origin_decides_unwritten";
    case Mutant::origin_releases_early: return "origin_releases_early";
    case Mutant::origin_undoes_when_in_doubt: return "origin_undoes_when_in_doubt";
    case Mutant::origin_trusts_forgetful_arbiter: return "origin_trusts_forgetful_arbiter";
    case Mutant::others_swap_with_arbiter: return "others_swap_with_arbiter";
    case Mutant::ready_unwritten: return "ready_unwritten";
    case Mutant::live_unwritten: return "live_unwritten";
    case Mutant::live_when_ready: return "live_when_ready";
    case Mutant::live_on_first_swap: return "live_on_first_swap";
    case Mutant::destination_drops_in_doubt: return "destination_drops_in_doubt";
    case Mutant::held_unwritten: return "held_unwritten";
    case Mutant::swapping_unwritten: return "swapping_unwritten";
    case Mutant::arbiter_never_gives_up: return "arbiter_never_gives_up";
    case Mutant::keeper_never_gives_up: return "keeper_never_gives_up";
    case Mutant::arbiter_forgets_undone: return "arbiter_forgets_undone";
    case Mutant::peer_decides_in_doubt: return "peer_decides_in_doubt";
    case Mutant::peer_resumes_before_swap: return "peer_resumes_before_swap";
    case Mutant::peer_keeps_frozen_on_undo: return "peer_keeps_frozen_on_undo";
    case Mutant::origin_keeps_frozen_on_undo: return "origin_keeps_frozen_on_undo";
    case Mutant::destination_keeps_on_undo: return "destination_keeps_on_undo";
    case Mutant::in_flight_forgotten: return "in_flight_forgotten";
    case Mutant::sent_not_cut: return "sent_not_cut";
    case Mutant::torn_record_believed: return "torn_record_believed";
    case Mutant::journal_of_another_boot: return "journal_of_another_boot";
    case Mutant::none: break;
  }
  return "none";
}

}  // namespace sockswap::simulation
