// A child of this process, by pidfd: waited for once, by whoever comes first. Any thread.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <mutex>
#include <optional>

#include "base/fd.h"
#include "base/result.h"
#include "lab/command.h"

namespace sockswap::lab {

class Child {
 public:
  Child(pid_t pid, Fd pidfd) : pid_(pid), pidfd_(std::move(pidfd)) {}
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child();  // kills and reaps it

  pid_t pid() const { return pid_; }
  // Nothing if it still runs after `timeout`.
  std::optional<ExitStatus> wait(std::chrono::milliseconds timeout);
  Result<> kill(int signal);

 private:
  const pid_t pid_;
  const Fd pidfd_;
  std::mutex mutex_;
  std::optional<ExitStatus> status_;
};

}  // namespace sockswap::lab
