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

// pidfd_getfd looks into the table of the very thread that the pidfd names. A process whose first
// thread has ended keeps its table under the others.
Fd open_table_owner(const Holder& holder, const Stat& stat, int folder) {
  if (!stat.ended()) return Fd(static_cast<int>(::syscall(SYS_pidfd_open, holder.pid, 0)));
  const Fd tasks = open_folder(folder, "task");
  if (!tasks) return {};
  Numbers tids(tasks.get());
  while (const auto tid = tids.next()) {
    if (*tid == holder.pid) continue;
    if (Fd thread{static_cast<int>(::syscall(SYS_pidfd_open, *tid, kPidfdThread))}) return thread;
  }
  return {};
}

}  // namespace

Result<Fd> take_descriptor(const Holder& holder, std::uint32_t inode) {
  const std::string who = fmt::format("process {} ({})", holder.pid, holder.command);
  if (holder.descriptors.empty()) return failure(ErrorCode::usage, who + " has no descriptor to take");
  const Fd folder = open_process(holder.pid);
  const auto stat = folder ? read_stat(folder.get()) : std::nullopt;
  if (!stat || stat->start_time != holder.start_time)
    return failure(ErrorCode::not_found, who + " has ended");

  const Fd process = open_table_owner(holder, *stat, folder.get());
  if (!process) {
    if (errno == ESRCH) return failure(ErrorCode::not_found, who + " has ended");
    return system_failure(errno, "pidfd_open of " + who, ErrorCode::unsupported);
  }
  // The pidfd could be that of a successor under the same number: the process that was checked must
  // still be there after it was opened.
  if (!read_stat(folder.get())) return failure(ErrorCode::not_found, who + " has ended");

  for (const int number : holder.descriptors) {
    Fd copy(static_cast<int>(::syscall(SYS_pidfd_getfd, process.get(), number, 0)));
    if (!copy) {
      if (errno == EBADF || errno == ESRCH) continue;
      if (errno == EPERM)
        return failure(Error{.code = ErrorCode::not_permitted,
                             .message = "take descriptor of " + who,
                             .hint = "the daemon needs CAP_SYS_PTRACE",
                             .sys_errno = EPERM});
      return system_failure(
          errno, "pidfd_getfd of " + who,
          errno == EMFILE || errno == ENFILE ? ErrorCode::no_resources : ErrorCode::internal);
    }
    struct stat file {};
    if (::fstat(copy.get(), &file) == 0 && S_ISSOCK(file.st_mode) && file.st_ino == inode) return copy;
  }
  return failure(ErrorCode::not_found, fmt::format("{} no longer holds socket {}", who, inode));
}

}  // namespace sockswap::process
