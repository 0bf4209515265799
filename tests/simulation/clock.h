// Simulated time: events in order of their time, and of their making where that is the same.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <queue>
#include <vector>

namespace sockswap::simulation {

using Time = std::chrono::microseconds;  // since the run began

class Clock {
 public:
  using Event = std::function<void()>;

  Time now() const { return now_; }
  void after(Time delay, Event event) { events_.push({now_ + delay, made_++, std::move(event)}); }

  // False if there is none left, or none until `end`.
  bool step(Time end) {
    if (events_.empty() || events_.top().at > end) return false;
    // The queue gives const access only, and this copy is what the run costs most.
    Entry entry = std::move(const_cast<Entry&>(events_.top()));
    events_.pop();
    now_ = entry.at;
    entry.event();
    return true;
  }

 private:
  struct Entry {
    Time at;
    std::uint64_t number;
    Event event;
    bool operator<(const Entry& other) const {
      return at != other.at ? at > other.at : number > other.number;
    }
  };
  Time now_{0};
  std::uint64_t made_ = 0;
  std::priority_queue<Entry> events_;
};

}  // namespace sockswap::simulation
