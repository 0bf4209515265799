#include "move/journal.h"

namespace sockswap::move {

std::string_view name(Mark mark) {
  switch (mark) {
    case Mark::origin_freezing: return "origin-freezing";
    case Mark::origin_committed: return "origin-committed";
    case Mark::origin_finished: return "origin-finished";
    case Mark::destination_reserved: return "destination-reserved";
    case Mark::destination_ready: return "destination-ready";
    case Mark::destination_live: return "destination-live";
    case Mark::destination_finished: return "destination-finished";
    case Mark::peer_holding: return "peer-holding";
    case Mark::peer_held: return "peer-held";
    case Mark::peer_swapping: return "peer-swapping";
    case Mark::peer_swapped: return "peer-swapped";
    case Mark::peer_finished: return "peer-finished";
  }
  return "";
}

}  // namespace sockswap::move
