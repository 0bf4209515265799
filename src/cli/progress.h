// How far a move has come, on stderr: nothing during the first second, since most moves take
// milliseconds; then the steps so far and each one as it comes, or, on a terminal, one live line.
#pragma once

#include <vector>

#include "cli/data.h"
#include "client/deadline.h"

namespace sockswap::cli {

class Progress {
 public:
  enum class Talk { off, lines, live_line };
  static Talk for_stderr();

  explicit Progress(Talk talk);
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  ~Progress() { end(); }

  void step(Step step);
  void tick();  // call it at next_tick(), if nothing has come until then
  client::Deadline next_tick() const;
  void end();  // takes the live line away

 private:
  void show();

  Talk talk_;
  client::Clock::time_point began_;
  std::vector<Step> steps_;
  std::size_t shown_ = 0;  // of steps_, as lines
  bool line_drawn_ = false;
};

}  // namespace sockswap::cli
