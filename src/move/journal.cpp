#include "move/journal.h"

#include <algorithm>

namespace sockswap::move {

std::string_view name(Mark mark) {
  switch (mark) {
    case JournalRecord::kOriginFreezing: return "origin-freezing";
    case JournalRecord::kOriginDeciding: return "origin-deciding";
    case JournalRecord::kOriginCommitted: return "origin-committed";
    case JournalRecord::kOriginUndoing: return "origin-undoing";
    case JournalRecord::kOriginFinished: return "origin-finished";
    case JournalRecord::kDestinationReserved: return "destination-reserved";
    case JournalRecord::kDestinationState: return "destination-state";
    case JournalRecord::kDestinationReady: return "destination-ready";
    case JournalRecord::kDestinationLive: return "destination-live";
    case JournalRecord::kDestinationHandedOver: return "destination-handed-over";
    case JournalRecord::kDestinationFinished: return "destination-finished";
    case JournalRecord::kPeerHolding: return "peer-holding";
    case JournalRecord::kPeerHeld: return "peer-held";
    case JournalRecord::kPeerSwapping: return "peer-swapping";
    case JournalRecord::kPeerSwapped: return "peer-swapped";
    case JournalRecord::kPeerUndone: return "peer-undone";
    case JournalRecord::kPeerFinished: return "peer-finished";
    case JournalRecord::MARK_NOT_SET: break;
  }
  return "";
}

std::string_view name(wire::Role role) {
  switch (role) {
    case wire::ORIGIN: return "origin";
    case wire::DESTINATION: return "destination";
    case wire::PEER: return "peer";
    default: return "";
  }
}

wire::Role role_of(const JournalRecord& record) {
  const Mark mark = record.mark_case();
  if (mark >= JournalRecord::kPeerHolding) return wire::PEER;
  if (mark >= JournalRecord::kDestinationReserved) return wire::DESTINATION;
  return mark == JournalRecord::MARK_NOT_SET ? wire::NO_ROLE : wire::ORIGIN;
}

bool is_last(const JournalRecord& record) {
  const Mark mark = record.mark_case();
  return mark == JournalRecord::kOriginFinished || mark == JournalRecord::kDestinationFinished ||
         mark == JournalRecord::kPeerFinished;
}

JournalRecord record_of(const MoveId& id) {
  JournalRecord record;
  record.set_move_id(id.bytes());
  return record;
}

const JournalRecord* find(const Records& records, Mark mark) {
  const auto found = std::find_if(records.rbegin(), records.rend(),
                                  [&](const JournalRecord& record) { return record.mark_case() == mark; });
  return found == records.rend() ? nullptr : &*found;
}

}  // namespace sockswap::move
