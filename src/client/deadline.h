// Until when a call may wait. Deadlines are points in time, so that a call made of several waits, or one
// that a signal interrupts, doesn't start to wait anew.
#pragma once

#include <chrono>

namespace sockswap::client {

using Clock = std::chrono::steady_clock;
using Deadline = Clock::time_point;

inline constexpr Deadline never = Deadline::max();
inline constexpr Deadline at_once = Deadline::min();

inline Deadline after(std::chrono::milliseconds wait) { return Clock::now() + wait; }

// For poll(): -1 for ever; rounded up, so that a wait never ends just before its deadline.
int poll_timeout(Deadline deadline);

}  // namespace sockswap::client
