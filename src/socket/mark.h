// What a frozen socket's filter says of it, for whoever comes after a keeper that was killed. A socket
// outlives the process that froze it if a program holds it, and its filter is the one thing of it that can
// carry what freezing has taken in: behind its last jump a filter may have instructions that are never
// reached.
//
//   cut off    [ret 0]    the program's own instructions    the mark    [ret 0]
//   open       the program's own instructions, or [ret all]    the mark    [ret 0]
//
// The mark is a row of loads of constants, which the kernel checks no further (bpf_check_classic()) and gives
// back with SO_GET_FILTER: u32 each, the text in network byte order, then its length in bytes, then two that
// are the magic. Whoever may set a socket's filter can forge one; all that it can ask for is what its program
// may set itself.
#pragma once

#include <sys/types.h>

#include <optional>

#include "base/bytes.h"
#include "socket/capture.h"
#include "socket/options.h"

namespace sockswap::socket {

enum class Gate : std::uint8_t { cut_off, open };

struct Mark {
  Gate gate = Gate::cut_off;
  pid_t freezer = 0;  // the process that keeps it, by its own number
  // The connection that is whole, with all that its program has written: as it was frozen, or as it was
  // re-pointed with nothing left to write. A socket that is connected otherwise, or not at all, has lost
  // bytes.
  std::optional<Identity> whole;
  Options asleep;  // those of Phase::asleep that the program has set
  Bytes own;       // the program's own filter; empty if it has none
};

// How long a program's own filter can be, in instructions, so that there is room for a mark.
inline constexpr std::size_t most_own_instructions = 4000;

// As an array of struct sock_filter.
Bytes to_instructions(const Mark& mark);
// Nothing if that is no filter of ours.
std::optional<Mark> read_mark(ByteView instructions);

}  // namespace sockswap::socket
