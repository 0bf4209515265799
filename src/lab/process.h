// A program that this process started, on a host or beside it. Move-only; ends (SIGKILL) with the object.
// One thread at a time.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/fd.h"
#include "base/result.h"
#include "lab/child.h"
#include "lab/command.h"

namespace sockswap::lab {

inline constexpr std::chrono::seconds kPatience{30};  // longer than any lab's work takes on a busy machine

class Process {
 public:
  // Forks on the calling thread: the child is born into that thread's namespaces. It gets a session of its
  // own, default signals, the three standard streams and no other descriptor. A program that can't be
  // executed is an error here, not an exit status.
  static Result<Process> spawn(const Command& command);

  // One that was started elsewhere: its line, and our ends of its streams, which don't block.
  Process(std::shared_ptr<Child> child, Fd in, Fd out, Fd err, std::string name);

  pid_t pid() const { return child_->pid(); }  // as seen from outside the host
  bool running() { return !child_->wait(std::chrono::milliseconds(0)); }
  Result<> kill(int signal) { return child_->kill(signal); }
  Result<ExitStatus> wait(std::chrono::milliseconds timeout = kPatience);

  Result<> write(std::string_view text);  // to its standard input, which must be a pipe
  void close_input() { in_.reset(); }

  // From its standard output, which must be a pipe. A line comes without its newline; nothing at the end.
  Result<std::optional<std::string>> read_line(std::chrono::milliseconds timeout = kPatience);
  Result<std::string> read_all(std::chrono::milliseconds timeout = kPatience);

  // Closes the input and collects both outputs until the program ends; kills one that takes too long.
  Result<Output> finish(std::chrono::milliseconds timeout = kPatience);

  const std::shared_ptr<Child>& child() const { return child_; }

 private:
  Result<bool> fill(std::chrono::steady_clock::time_point until);  // false: nothing more will come

  std::shared_ptr<Child> child_;
  Fd in_, out_, err_;  // our ends of its pipes
  std::string out_text_, err_text_;
  std::string name_;
};

}  // namespace sockswap::lab
