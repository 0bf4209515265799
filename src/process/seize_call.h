// PTRACE_SEIZE that another thread can call off.
//
// It waits for cred_guard_mutex, which an exec in the same process holds until all other threads of that
// process are gone. One that is traced is gone when its tracer has waited for it: if that one never
// does, neither call ever returns. A signal alone doesn't help: the kernel starts PTRACE_SEIZE again
// after any handler (ERESTARTNOINTR). So the handler of the real-time signal taken for this doesn't
// return but jumps out of the call. It does so only from the call itself, where nothing is half done
// and no destructor is passed by; anywhere else it does nothing, and neither if nothing was called off.
#pragma once

#include <pthread.h>
#include <sys/types.h>

#include <atomic>

#include "base/result.h"

namespace sockswap::process {

// The signal that call_off() uses. A thread that seizes mustn't block it.
int call_off_signal();

class SeizeCall {
 public:
  // Installs the handler; once a program.
  static Result<> prepare();

  // For the tracer's thread: 0 or an errno. EINTR once it has been called off; whether the thread is
  // seized is then not known, and only the end of the tracer's thread undoes it for sure.
  int seize(pid_t tid, long options);

  // For another thread, once: this and every further seize() of `tracer` end.
  void call_off(pthread_t tracer);
  bool called_off() const { return called_off_; }

 private:
  std::atomic<bool> called_off_{false};
};

}  // namespace sockswap::process
