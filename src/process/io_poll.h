// Requests of io_uring that poll (IORING_OP_POLL_ADD). A re-pointed socket passes through "closed", and
// the kernel tells all who wait on it. Whoever waits in epoll, poll() or a call on the socket itself
// looks again and sees a healthy socket; so does io_uring for its own recv and send. A request to poll
// is instead completed with what was told: POLLERR, which the program would take for an error. Which
// descriptor it polls can't be seen from outside, so any such request refuses the process.
#pragma once

#include <string>

#include "base/result.h"

namespace sockswap::process {

// not_movable if a request to poll waits in one of the process's rings; `folder`: its /proc/PID. A
// ring that the process has no descriptor for (registered, then closed) is not seen.
Result<> check_no_poll_requests(int folder, const std::string& owner);

}  // namespace sockswap::process
