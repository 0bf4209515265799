// Waiting for the stops, and letting go.
#include "process/tracer.h"

#include <fmt/format.h>
#include <sched.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <thread>

#include "process/eintr.h"
#include "process/io_worker.h"
#include "process/proc.h"

namespace sockswap::process {
namespace {

// A running thread stops within microseconds, so at first only the processor is offered to it.
constexpr int kYields = 100;
constexpr std::chrono::microseconds kShortSleep{50}, kLongSleep{1000};
constexpr int kShortSleeps = 100;

bool is_group_stop(int signal) {
  return signal == SIGSTOP || signal == SIGTSTP || signal == SIGTTIN || signal == SIGTTOU;
}

}  // namespace

Result<> Tracer::stop(std::span<const Holder> holders, std::span<const std::uint32_t> inodes,
                      Deadline deadline) {
  self_ = ::gettid();
  // The oldest of several searches counts: what came after it may be in none.
  searched_to_ = holders.empty() ? 0 : holders.front().newest_pid;
  for (const Holder& holder : holders) {
    searched_to_ = std::min(searched_to_, holder.newest_pid);
    SOCKSWAP_CHECK(adopt(holder));
  }
  for (bool grown = true; grown;) {
    grown = false;
    for (const Process& process : processes_) {
      SOCKSWAP_TRY(const bool more, seize_new_threads(process));
      grown |= more;
    }
    SOCKSWAP_CHECK(await_stops(deadline));
    SOCKSWAP_TRY(const bool born, adopt_newborn(inodes));
    grown |= born;
  }
  SOCKSWAP_CHECK(await_idle_workers(deadline));
  for (const auto& [tid, stage] : threads_)
    if (stage == Stage::stopped) ::ptrace(PTRACE_SETOPTIONS, tid, nullptr, nullptr);
  return {};
}

void Tracer::expect(pid_t tid) {
  threads_[tid] = Stage::running;
  if (std::find(awaited_.begin(), awaited_.end(), tid) == awaited_.end()) awaited_.push_back(tid);
}

Result<> Tracer::await_stops(Deadline deadline) {
  for (int round = 0; !awaited_.empty(); ++round) {
    for (std::size_t i = 0; i < awaited_.size(); ++i)  // settle() may append
      SOCKSWAP_CHECK(settle(awaited_[i]));
    std::erase_if(awaited_, [this](pid_t tid) { return threads_[tid] != Stage::running; });
    if (awaited_.empty()) break;
    // A first thread that ends before the others is not reported until they have ended too.
    if (round >= kYields && round % kYields == 0)
      for (const pid_t tid : std::vector<pid_t>(awaited_)) {
        SOCKSWAP_TRY(const bool ended, has_ended(tid));
        if (ended) threads_[tid] = Stage::left;
      }
    if (std::chrono::steady_clock::now() >= deadline) return timed_out();
    if (round < kYields)
      ::sched_yield();
    else
      std::this_thread::sleep_for(round < kYields + kShortSleeps ? kShortSleep : kLongSleep);
  }
  return {};
}

Result<> Tracer::await_idle_workers(Deadline deadline) const {
  for (const Worker& worker : workers_) {
    for (;;) {
      auto idle = check_idle(worker.folder.get(), worker.owner);
      if (idle) break;
      if (std::chrono::steady_clock::now() >= deadline) return idle;
      std::this_thread::sleep_for(kShortSleep);
    }
  }
  return {};
}

// Looks without taking (WNOWAIT): a signal that a thread is about to get is then not lost should this
// program die here, and the end of a process stays for its parent to see, even if that is ourselves. Only
// what this thread traces counts (__WNOTHREAD): one that is merely a child of this program has no news.
Result<> Tracer::settle(pid_t tid) {
  siginfo_t news{};
  constexpr int kLook = WSTOPPED | WEXITED | WNOHANG | WNOWAIT | __WALL | __WNOTHREAD;
  const bool known = ::waitid(P_PID, static_cast<id_t>(tid), &news, kLook) == 0;
  if (known && news.si_pid == 0) return {};
  if (known && (news.si_code == CLD_TRAPPED || news.si_code == CLD_STOPPED))
    return settle_stop(tid, news.si_status);
  threads_[tid] = Stage::left;
  take_ended();
  return {};
}

// Looks first: a wait is told of a tracee's stops whether it asked for them or not, and would use them up.
void Tracer::take_ended() {
  const std::lock_guard lock(later_mutex_);
  std::erase_if(later_, [](pid_t tid) {
    siginfo_t news{};
    const auto id = static_cast<id_t>(tid);
    if (::waitid(P_PID, id, &news, WEXITED | WNOHANG | WNOWAIT | __WALL) != 0) return true;
    if (news.si_code != CLD_EXITED && news.si_code != CLD_KILLED && news.si_code != CLD_DUMPED) return false;
    ::waitid(P_PID, id, &news, WEXITED | WNOHANG | __WALL);
    return true;
  });
}

// ptrace(2), "Stopped states". Requests to a tracee that was killed meanwhile fail with ESRCH; its end
// is what waitid() says next.
Result<> Tracer::settle_stop(pid_t tid, int status) {
  const int signal = status & 0xff, event = status >> 8;
  switch (event) {
    case 0:  // about to be delivered
      ::ptrace(PTRACE_INTERRUPT, tid, nullptr, nullptr);
      ::ptrace(PTRACE_CONT, tid, nullptr, static_cast<long>(signal));
      return {};
    case PTRACE_EVENT_FORK:
    case PTRACE_EVENT_VFORK:
    case PTRACE_EVENT_CLONE: {
      unsigned long born = 0;
      if (::ptrace(PTRACE_GETEVENTMSG, tid, nullptr, &born) == 0 && born != 0)
        if (!threads_.contains(static_cast<pid_t>(born))) expect(static_cast<pid_t>(born));
      break;
    }
    case PTRACE_EVENT_EXEC: {
      // Whoever has a new number answers no request until somebody has waited for it
      // (looks_like_a_spurious_pid()).
      siginfo_t taken{};
      ::waitid(P_PID, static_cast<id_t>(tid), &taken, WSTOPPED | WNOHANG | __WALL | __WNOTHREAD);
      break;
    }
    case PTRACE_EVENT_STOP:
      // What a program sees after its own SIGSTOP and SIGCONT is its own affair.
      if (cure_ == EintrCure::on && !is_group_stop(signal)) SOCKSWAP_CHECK(cure_eintr(tid));
      break;
    default: break;
  }
  threads_[tid] = Stage::stopped;
  return {};
}

Result<> Tracer::timed_out() const {
  const pid_t tid = awaited_.front();
  std::optional<Stat> stat;  // for the message alone
  if (const auto folder = open_process(tid); folder && *folder)
    stat = read_stat(folder->get()).value_or(std::nullopt);
  return failure(ErrorCode::timed_out,
                 fmt::format("thread {} of {} did not stop (state {})", tid, stat ? stat->command : "?",
                             stat ? stat->state : '?'),
                 "nothing was changed and everything runs on; try again");
}

bool Tracer::release() {
  bool all = !seizing_.called_off();
  const auto let_go = [&](pid_t tid, Stage stage) {
    if (stage == Stage::left) return;
    // ESRCH if it was killed: the kernel tells its parent when its tracer ends.
    if (::ptrace(PTRACE_DETACH, tid, nullptr, nullptr) != 0) all = false;
  };
  for (const Process& process : processes_) {
    const auto first = threads_.find(process.pid);
    if (first == threads_.end()) continue;
    let_go(first->first, first->second);
    threads_.erase(first);
  }
  for (const auto& [tid, stage] : threads_) let_go(tid, stage);
  threads_.clear();
  awaited_.clear();
  return all;
}

// One that can't be looked at may well live.
bool Tracer::all_dead() const {
  return std::all_of(threads_.begin(), threads_.end(), [](const auto& thread) {
    return thread.second == Stage::left || has_ended(thread.first).value_or(false);
  });
}

}  // namespace sockswap::process
