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
  Process process{
      .pid = holder.pid, .command = holder.command, .folder = open_process(holder.pid), .tasks = {}};
  if (!process.folder) return {};
  const auto stat = read_stat(process.folder.get());
  if (!stat || stat->start_time != holder.start_time) return {};
  process.tasks = open_folder(process.folder.get(), "task");
  if (!process.tasks) return {};
  processes_.push_back(std::move(process));
  return {};
}

// Process numbers rise, and start again from the bottom at pid_max.
Result<bool> Tracer::adopt_newborn(std::span<const std::uint32_t> inodes) {
  const pid_t newest = newest_pid();
  if (newest == searched_to_ && newest != 0) return false;
  const std::size_t known = processes_.size();
  const auto look_at = [&](pid_t pid) -> Result<> {
    if (pid == ::getpid() || pid == self_ || threads_.contains(pid)) return {};
    const auto holder = holder_among(pid, inodes);
    if (!holder) return {};
    const Fd folder = open_process(pid);
    // /proc/TID opens for every thread; only processes are listed.
    if (!folder || read_status(folder.get(), "Tgid") != pid) return {};
    return adopt(*holder);
  };
  if (searched_to_ > 0 && newest > searched_to_ && newest - searched_to_ <= kFewNumbers) {
    for (pid_t pid = searched_to_ + 1; pid <= newest; ++pid) SOCKSWAP_CHECK(look_at(pid));
  } else {
    const Fd proc = open_folder(AT_FDCWD, "/proc");
    if (!proc) return system_failure(errno, "open /proc");
    Numbers pids(proc.get());
    while (const auto pid = pids.next()) SOCKSWAP_CHECK(look_at(*pid));
  }
  const bool grown = processes_.size() > known;
  // A child of the one just found may have had its number already and not yet been visible: the same
  // range is looked at once more when its parent stands still.
  if (!grown) searched_to_ = newest;
  return grown;
}

Result<bool> Tracer::seize_new_threads(const Process& process) {
  std::vector<pid_t> fresh;
  Numbers tids(process.tasks.get());
  while (const auto tid = tids.next()) {
    const auto known = threads_.find(*tid);
    if (known == threads_.end()) fresh.push_back(*tid);
  }
  // Workers are sorted out before anything of this is stopped: it takes a while.
  std::erase_if(fresh, [&](pid_t tid) { return tid != process.pid && note_worker(process, tid); });
  if (const auto first = std::find(fresh.begin(), fresh.end(), process.pid); first != fresh.end())
    std::rotate(first, first + 1, fresh.end());
  for (const pid_t tid : fresh) SOCKSWAP_CHECK(seize(process, tid));
  return !fresh.empty();
}

bool Tracer::note_worker(const Process& process, pid_t tid) {
  Fd folder = open_folder(process.tasks.get(), fmt::format("{}", tid).c_str());
  if (!folder || !is_io_worker(folder.get())) return false;
  threads_[tid] = Stage::left;
  workers_.push_back({.folder = std::move(folder), .owner = name_of(process)});
  return true;
}

Result<> Tracer::seize(const Process& process, pid_t tid) {
  if (::ptrace(PTRACE_SEIZE, tid, nullptr, kEvents) == 0) {
    ::ptrace(PTRACE_INTERRUPT, tid, nullptr, nullptr);
    expect(tid);
    if (tid != process.pid) {
      const std::lock_guard lock(later_mutex_);
      later_.push_back(tid);
    }
    return {};
  }
  if (errno == ESRCH) return {};
  if (errno == EPERM) return explain_refusal(process, tid);
  return system_failure(errno, "stop " + name_of(process));
}

// The kernel says EPERM to much: find out which.
Result<> Tracer::explain_refusal(const Process& process, pid_t tid) {
  const std::string who = name_of(process);
  const Fd folder = open_folder(process.tasks.get(), fmt::format("{}", tid).c_str());
  const auto stat = folder ? read_stat(folder.get()) : std::nullopt;
  if (!stat || stat->ended()) {
    threads_[tid] = Stage::left;
    return {};
  }
  const auto tracer = read_status(folder.get(), "TracerPid");
  if (tracer == self_) {  // born of a seized thread
    expect(tid);
    return {};
  }
  if (tracer.value_or(0) != 0)
    return failure(ErrorCode::busy, fmt::format("{} is traced by process {}", who, *tracer),
                   "detach the debugger first");
  return failure(Error{.code = ErrorCode::not_permitted,
                       .message = "stop " + who,
                       .hint = "the daemon needs CAP_SYS_PTRACE",
                       .sys_errno = EPERM});
}

}  // namespace sockswap::process
