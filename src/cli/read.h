// The daemon's answers as plain data. Reading checks what later code relies on: addresses and ports are
// valid; everything else is text, to be shown with care (output/printable.h).
#pragma once

#include "base/result.h"
#include "cli/data.h"
#include "wire/control.pb.h"

namespace sockswap::cli {

struct MoveOrder;

Result<HostList> read(const wire::Hosts& hosts);
Result<ConnectionList> read(const wire::Connections& connections);
Result<MoveList> read(const wire::Moves& moves);
MoveResult read(const wire::Moved& moved, const MoveOrder& order);
Step read(const wire::Step& step);

}  // namespace sockswap::cli
