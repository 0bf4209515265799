#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

#include "process/holders.h"
#include "process/proc.h"

namespace sockswap::process {
namespace {

constexpr unsigned kPidfdThread = O_EXCL;  // PIDFD_THREAD, linux/pidfd.h, since Linux 6.9

Result<Fd> open_pidfd(pid_t pid, unsigned flags) {
  Fd pidfd(static_cast<int>(::syscall(SYS_pidfd_open, pid, flags)));
  if (pidfd || errno == ESRCH) return pidfd;
  if (errno == EINVAL || errno == ENOSYS)
    return system_failure(errno, fmt::format("pidfd_open of {}", pid), ErrorCode::unsupported);
  return proc_failure(errno, fmt::format("pidfd_open of {}", pid));
}

// pidfd_getfd looks into the table of the very thread that the pidfd names. A process whose first
// thread has ended keeps its table under the others. An empty Fd: they have all ended.
Result<Fd> open_table_owner(const Holder& holder, const Stat& stat, int folder) {
  if (!stat.ended()) return open_pidfd(holder.pid, 0);
  SOCKSWAP_TRY(const Fd tasks, open_folder(folder, "task"));
  if (!tasks) return Fd{};
  SOCKSWAP_TRY(const auto tids, read_numbers(tasks.get()));
  for (const pid_t tid : tids) {
    if (tid == holder.pid) continue;
    SOCKSWAP_TRY(Fd thread, open_pidfd(tid, kPidfdThread));
    if (thread) return thread;
  }
  return Fd{};
}

}  // namespace

Result<Fd> take_descriptor(const Holder& holder, std::uint32_t inode) {
  const std::string who = fmt::format("process {} ({})", holder.pid, holder.command);
  if (holder.descriptors.empty()) return failure(ErrorCode::usage, who + " has no descriptor to take");
  const auto has_ended = [&] { return failure(ErrorCode::not_found, who + " has ended"); };
  SOCKSWAP_TRY(const Fd folder, open_process(holder.pid));
  if (!folder) return has_ended();
  SOCKSWAP_TRY(const auto stat, read_stat(folder.get()));
  if (!stat || stat->start_time != holder.start_time) return has_ended();

  SOCKSWAP_TRY(const Fd process, open_table_owner(holder, *stat, folder.get()));
  if (!process) return has_ended();
  // The pidfd could be that of a successor under the same number: the process that was checked must
  // still be there after it was opened.
  SOCKSWAP_TRY(const auto still, read_stat(folder.get()));
  if (!still) return has_ended();

  for (const int number : holder.descriptors) {
    Fd copy(static_cast<int>(::syscall(SYS_pidfd_getfd, process.get(), number, 0)));
    if (!copy) {
      if (errno == EBADF || errno == ESRCH) continue;
      if (errno == EPERM)
        return failure(Error{.code = ErrorCode::not_permitted,
                             .message = "take descriptor of " + who,
                             .hint = "the daemon needs CAP_SYS_PTRACE",
                             .sys_errno = EPERM});
      return proc_failure(errno, "pidfd_getfd of " + who);
    }
    struct stat file {};
    if (::fstat(copy.get(), &file) == 0 && S_ISSOCK(file.st_mode) && file.st_ino == inode) return copy;
  }
  return failure(ErrorCode::not_found, fmt::format("{} no longer holds socket {}", who, inode));
}

}  // namespace sockswap::process
