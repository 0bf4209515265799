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

// Phases: starting -> holding | failed by the tracer's thread; holding -> leaving by the owner;
// leaving -> left by the tracer's thread. `outcome` and `tracer` belong to whoever may make the next
// step.
struct Paused::Session {
  enum Phase : int { starting, holding, failed, leaving, left };

  std::span<const Holder> holders;
  std::span<const std::uint32_t> inodes;
  Tracer::Deadline deadline;
  Tracer tracer;
  pthread_t thread{};
  std::atomic<pid_t> tid{0};
  std::atomic<Phase> phase{starting};
  std::binary_semaphore started{0};  // the end of `starting`
  Result<> outcome;
  bool released = false;

  void advance(Phase to) {
    phase.store(to, std::memory_order_release);
    phase.notify_all();
  }

  void trace() {
    tid = ::gettid();
    outcome = tracer.stop(holders, inodes, deadline);
    if (outcome) {
      advance(holding);
      started.release();
      phase.wait(holding, std::memory_order_acquire);
    }
    released = tracer.release();
    advance(outcome ? left : failed);
    if (!outcome) started.release();
  }

  Result<> start() {
    pthread_attr_t attributes;
    sigset_t all;
    ::sigfillset(&all);
    ::pthread_attr_init(&attributes);
    ::pthread_attr_setstacksize(&attributes, kStackSize);
    ::pthread_attr_setsigmask_np(&attributes, &all);  // the program's handlers run on its own threads
    const auto body = [](void* session) -> void* {
      static_cast<Session*>(session)->trace();
      return nullptr;
    };
    const int error = ::pthread_create(&thread, &attributes, body, this);
    ::pthread_attr_destroy(&attributes);
    if (error != 0) return system_failure(error, "create the tracing thread", ErrorCode::no_resources);
    while (!started.try_acquire_for(kHelpEvery)) tracer.take_ended();
    if (phase.load(std::memory_order_acquire) == holding) return {};
    end_thread();
    return std::move(outcome);
  }

  void let_go() {
    advance(leaving);
    phase.wait(leaving, std::memory_order_acquire);
    end_thread();
  }

  void end_thread() {
    ::pthread_join(thread, nullptr);
    if (!released) await_end(tid);
  }
};

Paused::Paused(std::unique_ptr<Session> session) : session_(std::move(session)) {}
Paused::Paused(Paused&&) noexcept = default;

Paused& Paused::operator=(Paused&& other) noexcept {
  if (this != &other) {
    if (session_) session_->let_go();
    session_ = std::move(other.session_);
  }
  return *this;
}

Paused::~Paused() {
  if (session_) session_->let_go();
}

Result<Paused> Paused::pause(std::span<const Holder> holders, std::span<const std::uint32_t> inodes,
                             std::chrono::milliseconds deadline) {
  SOCKSWAP_CHECK(check_eintr_cure());
  auto session = std::make_unique<Session>();
  session->holders = holders;
  session->inodes = inodes;
  session->deadline = std::chrono::steady_clock::now() + deadline;
  SOCKSWAP_CHECK(session->start());
  return Paused(std::move(session));
}

Result<> Paused::resume() {
  if (!session_) return failure(ErrorCode::usage, "nothing is paused");
  session_->let_go();
  session_.reset();
  return {};
}

bool Paused::empty() const { return !session_ || session_->tracer.all_dead(); }

}  // namespace sockswap::process
