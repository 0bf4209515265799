// PID 1 of a virtual host: reaps orphans, and ends the host.
//
// It dies with HostInit, and when the process that made it ends in any way: it watches a pidfd of its
// maker rather than PR_SET_PDEATHSIG, which fires when the making *thread* ends, or a pipe, which an
// unrelated child may have inherited. With PID 1 the kernel kills every process in the PID namespace.
#pragma once

#include <sys/types.h>

#include "base/fd.h"
#include "base/result.h"

namespace sockswap::lab {

class HostInit {
 public:
  // Called on a thread whose mount namespace the host's is to start from as a copy. The new process has its
  // own network, PID, mount and UTS namespace, and a /proc that shows them.
  static Result<HostInit> start();
  HostInit(HostInit&&) noexcept = default;
  HostInit& operator=(HostInit&&) = delete;
  ~HostInit();

  pid_t pid() const { return pid_; }  // as the maker sees it
  const Fd& pidfd() const { return pidfd_; }

  // Kills everything on the host; returns when the last process is gone. Children of this process that were
  // born into the host must be reaped by `reap_children` meanwhile: the kernel keeps PID 1 until they are.
  template <class Reap>
  Result<> end(Reap&& reap_children) {
    kill();
    reap_children();
    return wait();
  }

 private:
  HostInit(pid_t pid, Fd pidfd) : pid_(pid), pidfd_(std::move(pidfd)) {}
  void kill();
  Result<> wait();

  pid_t pid_;
  Fd pidfd_;
};

}  // namespace sockswap::lab
