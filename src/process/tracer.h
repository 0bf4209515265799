// The stopping itself. A Tracer belongs to one thread from beginning to end, as its tracees do; when
// that thread ends, the kernel lets go of everything that release() couldn't. See pause.h for what
// programs see.
//
// How a stop is reached, whatever the threads are doing meanwhile:
//
//   1. Every thread in /proc/PID/task is seized and told to stop, the first thread last: while the
//      first thread is traced, ignored signals are queued and wake other threads (sig_ignored()),
//      which must then be seized already for their EINTR to be cured.
//   2. Each is waited for until it stands still.
//        a signal is about to be delivered   it is delivered, and the thread told to stop again: no
//                                            signal is ever held here, where our death would lose it
//        fork, vfork, clone                  stays; what was born is traced and stopped before it runs
//        exec                                stays; it has taken over the first thread's number
//        exit                                an ended thread is taken, see take_ended(); an ended
//                                            process is left for its parent
//        told to stop, or stopped by SIGSTOP stays
//   3. Repeated until /proc shows no further thread, every first thread still stands where it was seen to
//      stop (an exec kills it there and goes on under its number), and no process that was born since the
//      holders were looked for holds the sockets.
//   4. io-wq workers must be idle; they stay so, since only a thread that runs gives them work. They
//      aren't traced: a stop would end what a busy one does with EINTR (see io_worker.h).
//   5. Event options are cleared: a SIGKILL during the pause kills without waiting for us.
#pragma once

#include <chrono>
#include <cstdint>
#include <mutex>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/fd.h"
#include "base/result.h"
#include "process/holders.h"
#include "process/seize_call.h"

namespace sockswap::process {

enum class EintrCure { on, off };  // off: to show what programs would see without it

class Tracer {
 public:
  using Deadline = std::chrono::steady_clock::time_point;

  explicit Tracer(EintrCure cure = EintrCure::on) : cure_(cure) {}

  // On failure some may be stopped: call release() and, if that says so, end the thread.
  Result<> stop(std::span<const Holder> holders, std::span<const std::uint32_t> inodes, Deadline deadline);

  // For another thread to call from time to time while stop() runs. PTRACE_SEIZE waits for an exec in
  // the same process to be over (cred_guard_mutex), the exec waits for the other threads of its
  // process to be gone, and those that are traced are gone when somebody has waited for them: without
  // this, the three wait for each other for ever. Any thread of the tracer's program may wait.
  void take_ended();

  // For another thread, once, while stop() runs in `tracer`: it then fails with timed_out at once, also if
  // take_ended() couldn't help because it is somebody else who traces those threads. See seize_call.h.
  void call_off(pthread_t tracer) { seizing_.call_off(tracer); }

  // Lets everyone go, first threads first (see 1). False if somebody who hasn't stopped yet, or was
  // killed, or was being seized when it was called off, may remain seized: only the end of this thread
  // frees them.
  bool release();

  // Any thread may ask, after stop() and before release().
  bool all_dead() const;

 private:
  enum class Stage { running, stopped, left };  // seized; stands still; ended, or never seized
  struct Worker {
    Fd folder;          // /proc/PID/task/TID
    std::string owner;  // for messages
  };
  struct Process {
    pid_t pid;
    std::string command;
    Fd folder;  // /proc/PID
    Fd tasks;   // /proc/PID/task
  };

  Result<> adopt(const Holder& holder);
  Result<bool> adopt_newborn(std::span<const std::uint32_t> inodes);
  Result<bool> seize_new_threads(const Process& process);
  Result<bool> changed_hands(pid_t first, Stage stage) const;
  Result<bool> note_worker(const Process& process, pid_t tid);
  Result<> seize(const Process& process, pid_t tid);
  Result<> called_off(const Process& process);
  Result<bool> explain_refusal(const Process& process, pid_t tid);
  Result<> await_stops(Deadline deadline);
  Result<> await_idle_workers(Deadline deadline) const;
  Result<> settle(pid_t tid);
  Result<> settle_stop(pid_t tid, int status);  // as in siginfo_t: signal | event << 8
  void expect(pid_t tid);
  Result<> timed_out() const;

  EintrCure cure_;
  SeizeCall seizing_;
  pid_t self_ = 0;         // the tracing thread
  pid_t searched_to_ = 0;  // the newest pid that the search for holders has covered
  std::vector<Process> processes_;
  std::unordered_map<pid_t, Stage> threads_;
  std::vector<Worker> workers_;  // io-wq threads: not traced, but idle
  std::mutex later_mutex_;
  std::vector<pid_t> later_;    // seized threads other than the first ones
  std::vector<pid_t> awaited_;  // those in Stage::running
};

}  // namespace sockswap::process
