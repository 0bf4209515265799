// What `sockswap hosts` and `sockswap ls` show.
#pragma once

#include "daemon/context.h"
#include "daemon/hand_overs.h"
#include "wire/control.pb.h"

namespace sockswap::daemon {

wire::Reply hosts_reply(const Context& context);
Result<wire::Reply> connections_reply(const Context& context, const HandOvers& hand_overs);

}  // namespace sockswap::daemon
