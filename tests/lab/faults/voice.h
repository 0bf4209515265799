// A program at an end, and all that it has said.
#pragma once

#include <algorithm>
#include <initializer_list>
#include <optional>
#include <string>
#include <vector>

#include "soak/ends.h"

namespace sockswap::faults {

class Voice {
 public:
  Result<> start(lab::Host& host, const std::string& name, std::vector<std::string> argv) {
    SOCKSWAP_TRY(soak::Speaker speaker, soak::Speaker::start(host, name, std::move(argv)));
    speaker_.emplace(std::move(speaker));
    return {};
  }
  void listen() {
    if (!speaker_ || ended_) return;
    auto lines = speaker_->read();
    if (!lines)
      ended_ = lines.error().text();
    else
      said_.insert(said_.end(), lines->begin(), lines->end());
  }
  Result<> tell(const std::string& word) { return speaker_->write(word + "\n"); }

  // The first line that begins so.
  std::optional<std::string> said(const std::string& word) const {
    const auto line = std::ranges::find_if(said_, [&](const auto& text) { return text.starts_with(word); });
    if (line == said_.end()) return std::nullopt;
    return *line;
  }
  // The first line that begins with one of the words, which is then said no more.
  std::optional<std::string> take_first(std::initializer_list<const char*> words) {
    const auto line = std::ranges::find_if(said_, [&](const auto& text) {
      return std::ranges::any_of(words, [&](const char* word) { return text.starts_with(word); });
    });
    if (line == said_.end()) return std::nullopt;
    std::string taken = std::move(*line);
    said_.erase(line);
    return taken;
  }
  pid_t pid() const { return speaker_ ? speaker_->pid() : -1; }
  // How it ended, if it didn't by exit status 0.
  const std::optional<std::string>& ended() const { return ended_; }

 private:
  std::optional<soak::Speaker> speaker_;
  std::vector<std::string> said_;
  std::optional<std::string> ended_;
};

}  // namespace sockswap::faults
