#include "process/tracer_thread.h"

#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <semaphore>
#include <utility>
#include <vector>

namespace sockswap::process {
namespace {

constexpr std::size_t kStackSize = 256 * 1024;
constexpr std::chrono::milliseconds kHelpEvery{2};

// The tracer looks at the deadline itself, between its steps; after this it is called off in the midst of
// one.
constexpr std::chrono::milliseconds kGrace{20};
// A thread that was called off answers as soon as it gets a processor.
constexpr std::chrono::milliseconds kLastResort{500};

// A thread is joined a moment before the kernel frees its tracees (exit_notify()); its number goes
// after that.
void await_end(pid_t tid) {
  while (::syscall(SYS_tgkill, ::getpid(), tid, 0) == 0) ::sched_yield();
}

}  // namespace

// Phases: waiting -> starting -> holding | failed; holding -> leaving -> left. The owner makes the steps to
// starting and leaving, the tracer's thread the others; waiting -> leaving if it is never used, starting ->
// leaving if it is left alone. `outcome` and `tracer` belong to whoever may make the next step.
struct TracerThread::Work {
  enum Phase : int { waiting, starting, holding, failed, leaving, left };

  void advance(Phase to) {
    phase.store(to, std::memory_order_release);
    phase.notify_all();
  }

  void trace() {
    tid = ::gettid();
    phase.wait(waiting, std::memory_order_acquire);
    if (phase.load(std::memory_order_acquire) == leaving) {
      released = true;
      return advance(left);
    }
    outcome = tracer.stop(holders, inodes, deadline);
    Phase expected = starting;
    if (outcome && phase.compare_exchange_strong(expected, holding, std::memory_order_acq_rel)) {
      started.release();
      phase.wait(holding, std::memory_order_acquire);
    }
    released = tracer.release();
    advance(outcome ? left : failed);
    if (!outcome) started.release();
  }

  std::vector<Holder> holders;
  std::vector<std::uint32_t> inodes;
  Tracer::Deadline deadline;
  Tracer tracer;
  std::atomic<pid_t> tid{0};
  std::atomic<Phase> phase{waiting};
  std::binary_semaphore started{0};  // the end of `starting`
  Result<> outcome;
  bool released = false;
};

TracerThread::TracerThread(std::shared_ptr<Work> work) : work_(std::move(work)) {}

TracerThread::~TracerThread() {
  if (running_) let_go();
}

Result<std::unique_ptr<TracerThread>> TracerThread::start() {
  SOCKSWAP_CHECK(SeizeCall::prepare());
  std::unique_ptr<TracerThread> thread(new TracerThread(std::make_shared<Work>()));
  pthread_attr_t attributes;
  sigset_t others;
  ::sigfillset(&others);
  ::sigdelset(&others, call_off_signal());
  ::pthread_attr_init(&attributes);
  ::pthread_attr_setstacksize(&attributes, kStackSize);
  ::pthread_attr_setsigmask_np(&attributes, &others);  // the program's handlers run on its own threads
  const auto body = [](void* given) -> void* {
    const std::unique_ptr<std::shared_ptr<Work>> work(static_cast<std::shared_ptr<Work>*>(given));
    (*work)->trace();
    return nullptr;
  };
  auto given = std::make_unique<std::shared_ptr<Work>>(thread->work_);
  const int error = ::pthread_create(&thread->thread_, &attributes, body, given.get());
  ::pthread_attr_destroy(&attributes);
  if (error != 0) return system_failure(error, "create the tracing thread", ErrorCode::no_resources);
  (void)given.release();
  thread->running_ = true;
  return thread;
}

// The owner waits for each step: handing over on its own processor is a switch of threads, on another it
// would be an interrupt to a processor that sleeps, which costs several times the stopping itself.
void TracerThread::run_here() {
  cpu_set_t here;
  CPU_ZERO(&here);
  CPU_SET(static_cast<unsigned>(::sched_getcpu()), &here);
  ::pthread_setaffinity_np(thread_, sizeof here, &here);  // without it everything works as well, later
}

bool TracerThread::await_answer(Tracer::Deadline until) {
  while (!work_->started.try_acquire_for(kHelpEvery)) {
    work_->tracer.take_ended();
    if (std::chrono::steady_clock::now() >= until) return false;
  }
  return true;
}

Result<> TracerThread::stop(std::span<const Holder> holders, std::span<const std::uint32_t> inodes,
                            Tracer::Deadline deadline) {
  work_->holders.assign(holders.begin(), holders.end());
  work_->inodes.assign(inodes.begin(), inodes.end());
  work_->deadline = deadline;
  run_here();
  work_->advance(Work::starting);
  if (!await_answer(deadline + kGrace)) {
    work_->tracer.call_off(thread_);
    if (!await_answer(std::chrono::steady_clock::now() + kLastResort)) return leave_alone();
  }
  if (work_->phase.load(std::memory_order_acquire) == Work::holding) return {};
  end();
  return std::move(work_->outcome);
}

// It answers neither its deadline nor being called off: it doesn't run at all. When it does it lets go.
Result<> TracerThread::leave_alone() {
  work_->advance(Work::leaving);
  ::pthread_detach(thread_);
  running_ = false;
  return failure(ErrorCode::timed_out, "the thread that pauses programs gets no processor",
                 "this host is overloaded; what was stopped runs on as soon as it does");
}

void TracerThread::let_go() {
  run_here();
  work_->advance(Work::leaving);
  work_->phase.wait(Work::leaving, std::memory_order_acquire);
  end();
}

bool TracerThread::all_dead() const { return work_->tracer.all_dead(); }

void TracerThread::end() {
  ::pthread_join(thread_, nullptr);
  running_ = false;
  if (!work_->released) await_end(work_->tid);
}

}  // namespace sockswap::process
