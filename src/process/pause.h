// Pausing programs so that they see nothing at all of it, not even an EINTR.
//
// Every thread of every holder is stopped with PTRACE_SEIZE + PTRACE_INTERRUPT. A system call that the
// stop ended with EINTR (epoll_wait, recv under SO_RCVTIMEO, io_uring_enter …) is made to start again:
// its whole timeout starts anew. A call that a real signal interrupted keeps its EINTR. The stop ends
// when the thread that made it exits: pause and resume from one long-lived thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <span>
#include <vector>

#include "base/result.h"
#include "process/holders.h"

namespace sockswap::process {

// Can these be paused? Refuses by name: traced by a debugger already, io_uring kernel threads that
// would go on touching sockets (SQPOLL, io-wq workers), a 32-bit program. Changes nothing; called
// before anything is frozen.
Result<> check_pausable(std::span<const Holder> holders);

class Paused {
 public:
  Paused(Paused&&) noexcept;
  Paused& operator=(Paused&&) noexcept;
  ~Paused();  // resumes

  // Stops all threads of all holders, including threads and children that come into being meanwhile,
  // or none: after `deadline` (a thread in uninterruptible sleep doesn't stop) everything runs again
  // and the error is timed_out. A process that was stopped by SIGSTOP before stays so afterwards.
  static Result<Paused> pause(std::span<const Holder> holders, std::uint32_t inode,
                              std::chrono::milliseconds deadline);

  // Lets them go. A process that was killed meanwhile is no error.
  Result<> resume();

  bool empty() const;  // nobody left: all paused processes have died

 private:
  struct Thread;
  explicit Paused(std::vector<Thread> threads);
  std::vector<Thread> threads_;
};

}  // namespace sockswap::process
