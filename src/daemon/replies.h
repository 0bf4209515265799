// What the daemon tells programs, as messages.
#pragma once

#include "daemon/history.h"
#include "daemon/origin_move.h"
#include "wire/control.pb.h"

namespace sockswap::daemon {

wire::Reply done_reply();
wire::Reply moved_reply(const MoveReport& report);
wire::Reply progress_reply(const MoveRecord::Step& step);
wire::Reply failed_reply(const Error& error);
wire::Reply moves_reply(const History& history);

}  // namespace sockswap::daemon
