// The records of the three roles (wire/journal.proto), and when they are written: the states that a daemon
// must find again after it was killed.
//
//   origin       freezing ─ deciding ─ committed ──────────────────────── finished
//                               └───── undoing ────────────────────────── finished
//   destination  reserved ─ (state) ─ ready ─ live ─ handed over ──────── finished
//   peer         holding ─ held ─ swapping ─ swapped ──────────────────── finished
//                            └──── undone ─────────────────────────────── finished
//
// A record comes *before* the step that memory alone could not undo. A move that gives up before `deciding`,
// `ready` and `held` is undone after a restart without being asked, so it writes nothing but `finished`.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "move/id.h"
#include "wire/journal.pb.h"

namespace sockswap::move {

using JournalRecord = wire::JournalRecord;
using Mark = wire::JournalRecord::MarkCase;

std::string_view name(Mark mark);  // "origin-committed"

std::string_view name(wire::Role role);  // "origin"

// Whose record it is; NO_ROLE for one of a later version's.
wire::Role role_of(const JournalRecord& record);
bool is_last(const JournalRecord& record);  // a finished

// A record of this move; the caller fills it in.
JournalRecord record_of(const MoveId& id);

// One role's records, in order.
using Records = std::vector<JournalRecord>;
// The last record of that kind.
const JournalRecord* find(const Records& records, Mark mark);

}  // namespace sockswap::move
