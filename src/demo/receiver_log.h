// What one example receiver says on its standard output, read as it comes on a thread of its own.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/result.h"
#include "lab/process.h"

namespace sockswap::demo {

// One line. Times are CLOCK_MONOTONIC nanoseconds; a guest's clock is its own.
struct ReceiverEvent {
  std::string host;
  std::string name;        // listening, waiting, progress, hand-over, handed-over, arrival, first-byte, end
  std::int64_t at_ns = 0;  // by the machine's clock
  std::uint64_t bytes = 0;
  std::int64_t last_byte_ns = 0;  // by the clock of the host that it came to: of an arrival the former one
  std::string sha256;             // end only
};

// Collects the lines of all receivers of a transfer in the order in which they came.
class ReceiverLog {
 public:
  ReceiverLog() = default;
  ReceiverLog(const ReceiverLog&) = delete;
  ReceiverLog& operator=(const ReceiverLog&) = delete;
  ~ReceiverLog();  // ends the receivers

  // Takes a receiver whose standard output is a pipe, on a host whose clock is so far ahead.
  void add(std::string host, lab::Process process, std::chrono::nanoseconds clock_ahead);

  // Waits until `wanted` holds for the events so far: it is called with all of them. timed_out otherwise.
  template <class Wanted>
  Result<> wait(std::chrono::milliseconds patience, Wanted wanted) {
    std::unique_lock lock(mutex_);
    if (changed_.wait_for(lock, patience, [&] { return wanted(events_); })) return {};
    return failure(ErrorCode::timed_out, "the receivers said nothing of what was waited for");
  }

  std::vector<ReceiverEvent> events() const {
    const std::lock_guard lock(mutex_);
    return events_;
  }

 private:
  struct Source {
    std::string host;
    lab::Process process;
    std::chrono::nanoseconds clock_ahead;
    std::thread reader;
  };
  void read(Source& source);

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<ReceiverEvent> events_;
  std::vector<std::unique_ptr<Source>> sources_;
};

}  // namespace sockswap::demo
