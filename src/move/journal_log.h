// The journal as bytes: a header, then records one after the other, each with its length and a checksum.
// Pure; the file is src/daemon's.
//
//   header   "sockswap journal 1\n" | 36 characters: the life that it belongs to | " " | 8 hex digits: its
//            generation | "\n"
//   record   u32 length | u32 CRC-32 of the length's and the record's bytes | length bytes: a JournalRecord
//
// Integers in network byte order. A daemon that is killed while it writes leaves a piece of a record at the
// end, and nothing after it: reading stops there, and what was to follow that record has not happened either.
//
// A journal lives as long as what it is about: the sockets, which the host's keeper keeps. One of another
// keeper's life is void. That is why nothing is ever synced: what a power failure would take from it, it
// takes with the sockets. Of two with the same life the higher generation counts; 0 is one that isn't
// complete.
#pragma once

#include <map>
#include <set>
#include <string_view>
#include <utility>

#include "base/bytes.h"
#include "base/result.h"
#include "move/journal.h"

namespace sockswap::move {

// One kind of part in one move.
using PartKey = std::pair<MoveId, wire::Role>;

struct Replay {
  std::map<PartKey, Records> open;  // parts that are not finished
  std::set<MoveId> dropped;         // destinations that have finished without letting their ends go
  std::uint32_t generation = 0;
  std::size_t whole = 0;  // bytes up to the end of the last whole record
  bool torn = false;      // something that isn't a whole record follows
};

// `life`: 36 characters, a UUID.
Bytes journal_header(std::string_view life, std::uint32_t generation);
void append(Bytes& log, const JournalRecord& record);

// disagreement if the bytes don't begin with a complete header of this life; then the journal begins anew.
Result<Replay> replay(ByteView log, std::string_view life);

}  // namespace sockswap::move
