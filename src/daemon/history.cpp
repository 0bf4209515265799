#include "daemon/history.h"

#include <algorithm>

namespace sockswap::daemon {
namespace {

constexpr std::size_t most_records = 4096;

}  // namespace

const MoveRecord::Step& MoveRecord::step(std::string_view name, std::chrono::steady_clock::time_point when) {
  // What repeats (asking in doubt) is noted once.
  if (!steps.empty() && steps.back().name == name) return steps.back();
  steps.push_back({name, when - began});
  if (on_step) on_step(role, name);
  return steps.back();
}

std::chrono::nanoseconds MoveRecord::between(std::string_view from, std::string_view to) const {
  const auto first = std::ranges::find(steps, from, &Step::name);
  const auto last = std::ranges::find(steps, to, &Step::name);
  return first == steps.end() || last == steps.end() ? std::chrono::nanoseconds{0} : last->at - first->at;
}

bool History::had(const FourTuple& tuple) const {
  return std::ranges::any_of(records_, [&](const auto& record) {
    return std::ranges::find(record->ends, tuple) != record->ends.end();
  });
}

std::shared_ptr<MoveRecord> History::begin(move::MoveId id, std::string_view role) {
  if (records_.size() == most_records) records_.pop_front();
  auto& record = records_.emplace_back(std::make_shared<MoveRecord>(id, role));
  record->on_step = on_step;
  return record;
}

}  // namespace sockswap::daemon
