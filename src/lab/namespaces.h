// A thread that lives in other namespaces than the rest of the process, and does there what it is asked.
//
// Linux gives each thread its own namespaces, so a test or a lab can open a socket "on" a host and keep the
// descriptor. The thread holds its namespaces open: they end with it, hence with the process, however that
// ends. run() may be called from any thread, and from within a job.
#pragma once

#include <condition_variable>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <queue>
#include <string>
#include <thread>
#include <type_traits>

#include "base/fd.h"
#include "base/result.h"

namespace sockswap::lab {

class NamespaceThread {
 public:
  // `enter` runs first on the new thread and takes it where it shall live; if it fails, there is no thread.
  static Result<std::unique_ptr<NamespaceThread>> start(std::function<Result<>()> enter);
  ~NamespaceThread();
  NamespaceThread(const NamespaceThread&) = delete;
  NamespaceThread& operator=(const NamespaceThread&) = delete;

  // Runs `job` there and waits for what it returns. Jobs run one at a time, in order.
  template <class Job>
  std::invoke_result_t<Job&> run(Job&& job) {
    if (std::this_thread::get_id() == thread_.get_id()) return job();
    std::packaged_task<std::invoke_result_t<Job&>()> task(std::ref(job));
    auto result = task.get_future();
    submit([&task] { task(); });
    return result.get();
  }

 private:
  NamespaceThread() = default;
  void submit(std::function<void()> job);
  void work();

  std::mutex mutex_;
  std::condition_variable changed_;
  std::queue<std::function<void()>> jobs_;
  bool stopping_ = false;
  std::thread thread_;
};

// Gives the calling thread a network of its own and a mount namespace in which nothing that is mounted
// reaches the machine, with an empty /run.
Result<> leave_the_machine();

// Takes the calling thread into the network, mount and UTS namespace of a process; the thread's children
// are born into its PID namespace. The thread itself keeps its PID, so /proc/self is empty there.
Result<> join(const Fd& pidfd);

}  // namespace sockswap::lab
