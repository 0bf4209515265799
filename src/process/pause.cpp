#include "process/pause.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <semaphore>
#include <utility>

#include "process/eintr.h"
#include "process/tracer.h"

namespace sockswap::process {
namespace {

constexpr std::size_t kStackSize = 256 * 1024;
constexpr std::chrono::milliseconds kHelpEvery{2};

// A thread is joined a moment before the kernel frees its tracees (exit_notify()); its number goes
// after that.
void await_end(pid_t tid) {
  while (::syscall(SYS_tgkill, ::getpid(), tid, 0) == 0) ::sched_yield();
}

}  // namespace

// Phases: waiting -> starting -> holding | failed; holding -> leaving -> left. The owner makes the steps to
// starting and leaving, the tracer's thread the others; waiting -> leaving if it is never used. `outcome_`
// and `tracer_` belong to whoever may make the next step.
class TracerThread {
 public:
  TracerThread() = default;
  TracerThread(const TracerThread&) = delete;
  TracerThread& operator=(const TracerThread&) = delete;
  ~TracerThread() {
    if (running_) let_go();
  }

  Result<> start() {
    pthread_attr_t attributes;
    sigset_t all;
    ::sigfillset(&all);
    ::pthread_attr_init(&attributes);
    ::pthread_attr_setstacksize(&attributes, kStackSize);
    ::pthread_attr_setsigmask_np(&attributes, &all);  // the program's handlers run on its own threads
    const auto body = [](void* self) -> void* {
      static_cast<TracerThread*>(self)->trace();
      return nullptr;
    };
    const int error = ::pthread_create(&thread_, &attributes, body, this);
    ::pthread_attr_destroy(&attributes);
    if (error != 0) return system_failure(error, "create the tracing thread", ErrorCode::no_resources);
    running_ = true;
    return {};
  }

  Result<> stop(std::span<const Holder> holders, std::span<const std::uint32_t> inodes,
                Tracer::Deadline deadline) {
    holders_ = holders;
    inodes_ = inodes;
    deadline_ = deadline;
    run_here();
    advance(starting);
    while (!started_.try_acquire_for(kHelpEvery)) tracer_.take_ended();
    if (phase_.load(std::memory_order_acquire) == holding) return {};
    end();
    return std::move(outcome_);
  }

  void let_go() {
    run_here();
    advance(leaving);
    phase_.wait(leaving, std::memory_order_acquire);
    end();
  }

  bool all_dead() const { return tracer_.all_dead(); }

 private:
  enum Phase : int { waiting, starting, holding, failed, leaving, left };

  void advance(Phase to) {
    phase_.store(to, std::memory_order_release);
    phase_.notify_all();
  }

  // The owner waits for each step: handing over on its own processor is a switch of threads, on another it
  // would be an interrupt to a processor that sleeps, which costs several times the stopping itself.
  void run_here() {
    cpu_set_t here;
    CPU_ZERO(&here);
    CPU_SET(static_cast<unsigned>(::sched_getcpu()), &here);
    ::pthread_setaffinity_np(thread_, sizeof here, &here);  // without it everything works as well, later
  }

  void trace() {
    tid_ = ::gettid();
    phase_.wait(waiting, std::memory_order_acquire);
    if (phase_.load(std::memory_order_acquire) == leaving) {
      released_ = true;
      return advance(left);
    }
    outcome_ = tracer_.stop(holders_, inodes_, deadline_);
    if (outcome_) {
      advance(holding);
      started_.release();
      phase_.wait(holding, std::memory_order_acquire);
    }
    released_ = tracer_.release();
    advance(outcome_ ? left : failed);
    if (!outcome_) started_.release();
  }

  void end() {
    ::pthread_join(thread_, nullptr);
    running_ = false;
    if (!released_) await_end(tid_);
  }

  std::span<const Holder> holders_;
  std::span<const std::uint32_t> inodes_;
  Tracer::Deadline deadline_;
  Tracer tracer_;
  pthread_t thread_{};
  bool running_ = false;
  std::atomic<pid_t> tid_{0};
  std::atomic<Phase> phase_{waiting};
  std::binary_semaphore started_{0};  // the end of `starting`
  Result<> outcome_;
  bool released_ = false;
};

Pauser::Pauser(std::unique_ptr<TracerThread> thread) : thread_(std::move(thread)) {}
Pauser::Pauser(Pauser&&) noexcept = default;
Pauser& Pauser::operator=(Pauser&&) noexcept = default;
Pauser::~Pauser() = default;

Result<Pauser> Pauser::make() {
  SOCKSWAP_CHECK(check_eintr_cure());
  auto thread = std::make_unique<TracerThread>();
  SOCKSWAP_CHECK(thread->start());
  return Pauser(std::move(thread));
}

Paused::Paused(std::unique_ptr<TracerThread> thread) : thread_(std::move(thread)) {}
Paused::Paused(Paused&&) noexcept = default;
Paused& Paused::operator=(Paused&&) noexcept = default;
Paused::~Paused() = default;

Result<Paused> Paused::pause(Pauser pauser, std::span<const Holder> holders,
                             std::span<const std::uint32_t> inodes, std::chrono::milliseconds deadline) {
  SOCKSWAP_CHECK(pauser.thread_->stop(holders, inodes, std::chrono::steady_clock::now() + deadline));
  return Paused(std::move(pauser.thread_));
}

Result<Paused> Paused::pause(std::span<const Holder> holders, std::span<const std::uint32_t> inodes,
                             std::chrono::milliseconds deadline) {
  SOCKSWAP_TRY(Pauser pauser, Pauser::make());
  return pause(std::move(pauser), holders, inodes, deadline);
}

Result<> Paused::resume() {
  if (!thread_) return failure(ErrorCode::usage, "nothing is paused");
  thread_->let_go();
  thread_.reset();
  return {};
}

bool Paused::empty() const { return !thread_ || thread_->all_dead(); }

}  // namespace sockswap::process
