// Pausing programs so that they see nothing at all of it, not even an EINTR.
//
// Every thread of every holder is stopped with PTRACE_SEIZE + PTRACE_INTERRUPT. A system call that the
// stop ended with EINTR (epoll_wait, recv under SO_RCVTIMEO, io_uring_enter …) is made to start again:
// its whole timeout starts anew. A call that a real signal interrupted keeps its EINTR, and signals
// that arrive during the pause are delivered after it, once. Parents, waitpid() and timers notice
// nothing.
//
// What Linux does at any stop, ours too, and what can't be taken back: a call that has moved part of
// its bytes (a blocking send() of more than the buffer takes, MSG_WAITALL, io_uring_enter that also
// submitted) returns with that part; a connect() under SO_SNDTIMEO that then times out says EALREADY.
//
// Owns one thread a pause: the tracer. The kernel ties a stop to the thread that made it, and a thread
// that won't stop (uninterruptible sleep) can only be let go by the end of its tracer. So whatever
// happens, also if this whole program is killed, everything runs again. That thread is made before
// anything is stopped. It never keeps its owner waiting beyond the deadline and a short grace: where it
// can block without end (in PTRACE_SEIZE, while an exec in the same process doesn't come to its end) it
// is called off by a real-time signal, SIGRTMAX - 3, which the program must not use otherwise
// (seize_call.h). The functions here may be called from any thread, one at a time for each
// object. The program that uses this must never wait for any child (waitpid(-1)): it would take the
// tracer's news.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <utility>

#include "base/result.h"
#include "process/holders.h"

namespace sockswap::process {

// Can these be paused? Refuses by name: traced by a debugger already (any thread), an io_uring kernel worker
// in the midst of a blocking operation, an io_uring request to poll (io_poll.h says why), a 32-bit program,
// ourselves. Changes nothing; called before anything is frozen.
Result<> check_pausable(std::span<const Holder> holders);

// The same for many sockets. To look at a process costs reading its descriptor table, so each one is
// looked at once and the answer kept: for one listing, or one move.
class PausableProcesses {
 public:
  Result<> check(std::span<const Holder> holders);

 private:
  std::map<std::pair<pid_t, std::uint64_t>, Result<>> answers_;  // by pid and start time
};

class Paused;
class TracerThread;

// A tracer's thread, ready: making one takes longer than stopping a program, so whoever knows that a
// pause will be wanted makes it before anything stands still. Destroyed unused, it just ends.
class Pauser {
 public:
  static Result<Pauser> make();
  Pauser(Pauser&&) noexcept;
  Pauser& operator=(Pauser&&) noexcept;
  ~Pauser();

 private:
  friend class Paused;
  explicit Pauser(std::unique_ptr<TracerThread> thread);
  std::unique_ptr<TracerThread> thread_;
};

class Paused {
 public:
  Paused(Paused&&) noexcept;
  Paused& operator=(Paused&&) noexcept;  // resumes what it held
  ~Paused();                             // resumes

  // Stops all threads of all holders, including threads and children that come into being meanwhile,
  // or none: after `deadline` (a thread in uninterruptible sleep or in vfork() doesn't stop, one in exec
  // can't be seized) everything runs again and the error is timed_out. A process that was stopped by SIGSTOP
  // before stays so afterwards. Holders that have ended are left out. `inodes`: the sockets that they hold,
  // by which processes born since the holders were found are recognised.
  static Result<Paused> pause(Pauser pauser, std::span<const Holder> holders,
                              std::span<const std::uint32_t> inodes, std::chrono::milliseconds deadline);
  static Result<Paused> pause(std::span<const Holder> holders, std::span<const std::uint32_t> inodes,
                              std::chrono::milliseconds deadline);
  static Result<Paused> pause(std::span<const Holder> holders, std::uint32_t inode,
                              std::chrono::milliseconds deadline) {
    return pause(holders, std::span(&inode, 1), deadline);
  }

  // Lets them go; they run when this returns. A process that was killed meanwhile is no error: its
  // parent learns of it now.
  Result<> resume();

  bool empty() const;  // nobody left: all paused processes have died, or were let go

 private:
  explicit Paused(std::unique_ptr<TracerThread> thread);
  std::unique_ptr<TracerThread> thread_;
};

}  // namespace sockswap::process
