// Taking back the EINTR that a stop causes. The only part that knows a processor's registers.
//
// The kernel ends most blocking calls with one of its own -ERESTART* codes, which it resolves on the
// way back to the program: no handler ran, so the call starts again. A few (epoll_wait, recv under
// SO_RCVTIMEO, io_uring_enter, semtimedop, sigtimedwait …) end with a plain -EINTR, after any stop. The
// cure replaces that by -ERESTARTNOHAND and leaves the decision to the kernel: if a signal handler is
// due, now or at any time until the thread goes on, the program gets handler and EINTR as it should;
// otherwise the call starts again. Nothing has to be guessed about pending signals, masks or handlers,
// and no signal can slip in between.
#pragma once

#include <sys/types.h>

#include "base/result.h"

namespace sockswap::process {

// unsupported, naming the processor, where the registers aren't known.
Result<> check_eintr_cure();

// For a thread in a PTRACE_EVENT_STOP that isn't a group stop. Does nothing if it wasn't in a system
// call that ended with EINTR. A thread that was killed meanwhile is no error.
Result<> cure_eintr(pid_t tid);

}  // namespace sockswap::process
