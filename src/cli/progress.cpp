#include "cli/progress.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "cli/output/output.h"
#include "cli/output/printable.h"

namespace sockswap::cli {
namespace {

using namespace std::chrono_literals;

constexpr auto silence = 1s;
constexpr auto redraw = 100ms;
constexpr std::size_t longest_step = 40;

}  // namespace

Progress::Talk Progress::for_stderr() {
  const char* term = std::getenv("TERM");
  const bool draws = ::isatty(STDERR_FILENO) != 0 && term != nullptr && term != std::string_view("dumb");
  return draws ? Talk::live_line : Talk::lines;
}

Progress::Progress(Talk talk) : talk_(talk), began_(client::Clock::now()) {}

client::Deadline Progress::next_tick() const {
  if (talk_ == Talk::off) return client::never;
  const auto now = client::Clock::now();
  if (now < began_ + silence) return began_ + silence;
  return talk_ == Talk::live_line ? now + redraw : client::never;
}

void Progress::step(Step step) {
  steps_.push_back(std::move(step));
  tick();
}

void Progress::tick() {
  if (talk_ != Talk::off && client::Clock::now() >= began_ + silence) show();
}

void Progress::show() {
  if (talk_ == Talk::lines) {
    for (; shown_ < steps_.size(); ++shown_)
      remark(fmt::format("{} {}", steps_[shown_].name, duration(steps_[shown_].at_us)));
    return;
  }
  const std::chrono::duration<double> taken = client::Clock::now() - began_;
  const std::string last =
      steps_.empty() ? "waiting" : shortened(printable(steps_.back().name), longest_step);
  std::fputs(fmt::format("\r\x1b[K{:.1f} s  {}", taken.count(), last).c_str(), stderr);
  line_drawn_ = true;
}

void Progress::end() {
  if (!line_drawn_) return;
  std::fputs("\r\x1b[K", stderr);
  line_drawn_ = false;
}

}  // namespace sockswap::cli
