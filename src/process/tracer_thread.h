// The thread that a Tracer belongs to, and the waiting for it. Its owner waits for each step, but not
// for ever for a stop: what the thread works with is shared with it, so that it can be left alone.
#pragma once

#include <pthread.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <span>

#include "base/result.h"
#include "process/holders.h"
#include "process/tracer.h"

namespace sockswap::process {

class TracerThread {
 public:
  static Result<std::unique_ptr<TracerThread>> start();
  TracerThread(const TracerThread&) = delete;
  TracerThread& operator=(const TracerThread&) = delete;
  ~TracerThread();  // lets go

  // Stops all or none, at most a grace after the deadline. After a failure nobody is stopped any more, and
  // the thread has ended.
  Result<> stop(std::span<const Holder> holders, std::span<const std::uint32_t> inodes,
                Tracer::Deadline deadline);
  void let_go();
  bool all_dead() const;

 private:
  struct Work;
  explicit TracerThread(std::shared_ptr<Work> work);

  void run_here();
  bool await_answer(Tracer::Deadline until);
  Result<> leave_alone();
  void end();

  std::shared_ptr<Work> work_;
  pthread_t thread_{};
  bool running_ = false;
};

}  // namespace sockswap::process
