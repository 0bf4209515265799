// A program at an end, and all that it has said.
#pragma once

#include <algorithm>
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
  // How it ended, if it didn't by exit status 0.
  const std::optional<std::string>& ended() const { return ended_; }

 private:
  std::optional<soak::Speaker> speaker_;
  std::vector<std::string> said_;
  std::optional<std::string> ended_;
};

}  // namespace sockswap::faults
