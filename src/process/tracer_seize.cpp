// Finding and seizing everyone who must stop.
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/ptrace.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "process/holder_scan.h"
#include "process/io_worker.h"
#include "process/proc.h"
#include "process/tracer.h"

namespace sockswap::process {
namespace {

// Not PTRACE_O_TRACEEXIT: threads that end on behalf of an exec must not need this thread, see
// take_ended().
constexpr long kEvents = PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC;

// Looking at each number is cheaper than reading /proc up to about here.
constexpr int kFewNumbers = 2000;

std::string name_of(const auto& process) {
  return fmt::format("process {} ({})", process.pid, process.command);
}

}  // namespace

Result<> Tracer::adopt(const Holder& holder) {
  const auto known = [&](const Process& process) { return process.pid == holder.pid; };
  if (std::any_of(processes_.begin(), processes_.end(), known)) return {};
  if (holder.pid == ::getpid()) return failure(ErrorCode::usage, "a program can't pause itself");
  SOCKSWAP_TRY(Fd folder, open_process(holder.pid));
  if (!folder) return {};
  SOCKSWAP_TRY(const auto stat, read_stat(folder.get()));
  if (!stat || stat->start_time != holder.start_time) return {};
  SOCKSWAP_TRY(Fd tasks, open_folder(folder.get(), "task"));
  if (!tasks) return {};
  processes_.push_back(
      {.pid = holder.pid, .command = holder.command, .folder = std::move(folder), .tasks = std::move(tasks)});
  return {};
}

// Process numbers rise, and start again from the bottom at pid_max.
Result<bool> Tracer::adopt_newborn(std::span<const std::uint32_t> inodes) {
  const pid_t newest = newest_pid();
  if (newest == searched_to_ && newest != 0) return false;
  const std::size_t known = processes_.size();
  bool in_order = false;
  const auto look_at = [&](pid_t pid) -> Result<> {
    if (pid == ::getpid() || pid == self_ || threads_.contains(pid)) return {};
    if (seizing_.called_off())
      return failure(ErrorCode::timed_out, "looking for processes born during the pause took too long",
                     "nothing was changed and everything runs on; try again");
    SOCKSWAP_TRY(const auto holder, holder_among(pid, inodes));
    if (!holder) return {};
    SOCKSWAP_TRY(const Fd folder, open_process(pid));
    if (!folder) return {};
    // /proc/TID opens for every thread; only processes are listed.
    SOCKSWAP_TRY(const auto process, read_status(folder.get(), "Tgid"));
    return process == pid ? adopt(*holder) : Result<>{};
  };
  if (searched_to_ > 0 && newest > searched_to_ && newest - searched_to_ <= kFewNumbers) {
    in_order = true;
    for (pid_t pid = searched_to_ + 1; pid <= newest; ++pid) SOCKSWAP_CHECK(look_at(pid));
  } else {
    SOCKSWAP_TRY(const Fd proc, open_folder(AT_FDCWD, "/proc"));
    if (!proc) return failure(ErrorCode::unsupported, "there is no /proc here");
    SOCKSWAP_TRY(const auto pids, read_numbers(proc.get()));
    for (const pid_t pid : pids) SOCKSWAP_CHECK(look_at(pid));
  }
  const bool grown = processes_.size() > known;
  // A child of one just found may have had its number, which comes after its parent's, and not yet been
  // visible: from the first of those on, all are looked at once more when they stand still.
  if (!grown) searched_to_ = newest;
  if (grown && in_order) searched_to_ = processes_[known].pid;
  // One that was there when this began may have ended before its number was looked at, and left a child
  // behind whose number came later: only when none was given meanwhile has everybody been seen.
  return grown || newest_pid() != newest;
}

Result<bool> Tracer::seize_new_threads(const Process& process) {
  SOCKSWAP_TRY(const auto tids, read_numbers(process.tasks.get()));
  std::vector<pid_t> fresh;
  // Workers are sorted out before anything of this is stopped: it takes a while.
  for (const pid_t tid : tids) {
    if (const auto known = threads_.find(tid); known != threads_.end()) {
      if (tid != process.pid) continue;
      SOCKSWAP_TRY(const bool changed, changed_hands(tid, known->second));
      if (!changed) continue;
    }
    SOCKSWAP_TRY(const bool worker, tid == process.pid ? Result<bool>(false) : note_worker(process, tid));
    if (!worker) fresh.push_back(tid);
  }
  if (const auto first = std::find(fresh.begin(), fresh.end(), process.pid); first != fresh.end())
    std::rotate(first, first + 1, fresh.end());
  for (const pid_t tid : fresh) SOCKSWAP_CHECK(seize(process, tid));
  return !fresh.empty();
}

// An exec kills the other threads, the first one too, also where it stands stopped, and gives its number to
// the caller. That one may be traced and about to stop, or may never have been seen under its own number.
Result<bool> Tracer::changed_hands(pid_t first, Stage stage) const {
  unsigned long ignored =
      0;  // answered only by a tracee of this thread that is stopped, and not being killed
  if (stage == Stage::stopped && ::ptrace(PTRACE_GETEVENTMSG, first, nullptr, &ignored) == 0) return false;
  SOCKSWAP_TRY(const bool ended, has_ended(first));
  return !ended;
}

Result<bool> Tracer::note_worker(const Process& process, pid_t tid) {
  SOCKSWAP_TRY(Fd folder, open_folder(process.tasks.get(), fmt::format("{}", tid).c_str()));
  if (!folder) return false;
  SOCKSWAP_TRY(const bool worker, is_io_worker(folder.get()));
  if (!worker) return false;
  threads_[tid] = Stage::left;
  workers_.push_back({.folder = std::move(folder), .owner = name_of(process)});
  return true;
}

Result<> Tracer::seize(const Process& process, pid_t tid) {
  for (int attempt = 0; attempt < 2; ++attempt) {
    const int error = seizing_.seize(tid, kEvents);
    if (error == 0) {
      ::ptrace(PTRACE_INTERRUPT, tid, nullptr, nullptr);
      expect(tid);
      if (tid != process.pid) {
        const std::lock_guard lock(later_mutex_);
        later_.push_back(tid);
      }
      return {};
    }
    if (error == ESRCH) return {};
    if (error == EINTR) return called_off(process);
    if (error != EPERM) return proc_failure(error, "stop " + name_of(process));
    SOCKSWAP_TRY(const bool explained, explain_refusal(process, tid));
    if (explained) return {};
    // Refused may have been the first thread that has ended, and an exec has given its number on since.
  }
  return proc_failure(EPERM, "stop " + name_of(process));
}

Result<> Tracer::called_off(const Process& process) {
  return failure(ErrorCode::timed_out,
                 name_of(process) + " could not be stopped: it is in the midst of an exec",
                 "nothing was changed and everything runs on; does somebody trace one of its threads?");
}

// The kernel says EPERM to much: find out which. False if there seems to be no reason.
Result<bool> Tracer::explain_refusal(const Process& process, pid_t tid) {
  SOCKSWAP_TRY(const Fd folder, open_folder(process.tasks.get(), fmt::format("{}", tid).c_str()));
  SOCKSWAP_TRY(const auto stat, folder ? read_stat(folder.get()) : Result<std::optional<Stat>>(std::nullopt));
  if (!stat || stat->ended()) {
    threads_[tid] = Stage::left;
    return true;
  }
  SOCKSWAP_TRY(const auto tracer, read_status(folder.get(), "TracerPid"));
  if (tracer == self_) {  // born of a seized thread
    expect(tid);
    return true;
  }
  if (tracer.value_or(0) == 0) return false;
  return failure(traced_by(name_of(process), static_cast<pid_t>(*tracer)));
}

}  // namespace sockswap::process
