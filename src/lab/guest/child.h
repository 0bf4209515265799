// A program on a guest, by its line to the agent there. Any thread.
#pragma once

#include <mutex>
#include <nlohmann/json.hpp>
#include <string>

#include "lab/child.h"

namespace sockswap::lab {

// What the agent says next to those words.
Result<nlohmann::json> ask_agent(const Fd& line, const nlohmann::json& words);

class GuestChild : public Child {
 public:
  // Asks the agent behind `line` to run what `words` say.
  static Result<std::shared_ptr<Child>> run(Fd line, const nlohmann::json& words, const std::string& name);
  GuestChild(Fd line, pid_t pid, std::string unread)
      : line_(std::move(line)), pid_(pid), unread_(std::move(unread)) {}
  // Without its caller the program is killed.

  pid_t pid() const override { return pid_; }
  std::optional<ExitStatus> wait(std::chrono::milliseconds timeout) override;
  Result<> kill(int signal) override;

 private:
  const Fd line_;
  const pid_t pid_;  // as the guest sees it
  std::mutex mutex_;
  std::string unread_;
  std::optional<ExitStatus> status_;
};

}  // namespace sockswap::lab
