// A program that was started: waited for once, by whoever comes first. Any thread.
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
  Child() = default;
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  virtual ~Child() = default;  // kills it

  virtual pid_t pid() const = 0;
  // Nothing if it still runs after `timeout`.
  virtual std::optional<ExitStatus> wait(std::chrono::milliseconds timeout) = 0;
  virtual Result<> kill(int signal) = 0;
};

// A child of this process, by pidfd.
class OwnChild : public Child {
 public:
  OwnChild(pid_t pid, Fd pidfd) : pid_(pid), pidfd_(std::move(pidfd)) {}
  ~OwnChild() override;  // reaps it

  pid_t pid() const override { return pid_; }
  std::optional<ExitStatus> wait(std::chrono::milliseconds timeout) override;
  Result<> kill(int signal) override;

 private:
  const pid_t pid_;
  const Fd pidfd_;
  std::mutex mutex_;
  std::optional<ExitStatus> status_;
};

}  // namespace sockswap::lab
