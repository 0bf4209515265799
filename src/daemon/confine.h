// The end of this program's rights. What it parses comes from the network and from programs; whoever gets the
// better of it has nothing: no user, no capability in any set, no program to become, and only the system
// calls that it needs.
#pragma once

#include <string>

#include "base/result.h"

namespace sockswap::daemon {

// `user`: whom to become; empty: "sockswap" if there is such a user, else "nobody". Not as root, there is
// only the rest to give up. Before there are threads; there is no way back. An error leaves the program with
// half of it: it has to end.
Result<> give_up_rights(const std::string& user);

// The list of system calls alone (seccomp): everything else fails with EPERM. setsockopt() is let through for
// the options that this program sets, so not for TCP_REPAIR.
Result<> allow_few_system_calls();

}  // namespace sockswap::daemon
