// Reading /proc: what the other files here need of it, and no more. Processes vanish at any moment,
// so "gone" is an ordinary answer: std::nullopt, an empty Fd, no numbers. Only ENOENT and ESRCH mean
// that. Every other failure is an error: whoever has no descriptor left to look at a process with
// doesn't know whether it holds a socket, and must not go on as if it were gone.
//
// A descriptor for /proc/PID stays with that process: when it ends, reading through it fails even if
// the number is in use again.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/fd.h"
#include "base/result.h"

namespace sockswap::process {

// Of a process or a thread: proc_pid_stat(5).
struct Stat {
  std::string command;           // printable ASCII: everything else is a '?'
  char state = '?';              // R, S, D, T, t, Z …
  std::uint32_t flags = 0;       // PF_*, include/linux/sched.h
  std::uint64_t start_time = 0;  // clock ticks since boot
  bool ended() const { return state == 'Z' || state == 'X'; }
};

// Does this errno of a look into /proc say that the process or thread is gone?
bool means_gone(int sys_errno);

// The error for any other one: no_resources if something ran out here, not_permitted, or internal.
tl::unexpected<Error> proc_failure(int sys_errno, std::string message);

Result<Fd> open_process(pid_t pid);                 // /proc/PID, for a thread too
Result<Fd> open_folder(int at, const char* name);   // a folder below it, such as "fd"
Result<std::optional<Stat>> read_stat(int folder);  // of /proc/PID or /proc/PID/task/TID
Result<std::optional<std::string>> read_file(int folder, const char* name);  // at most 4 KiB

// Gone, or a zombie.
Result<bool> has_ended(pid_t tid);

// A number from the file "status", such as "Tgid" or "TracerPid".
Result<std::optional<std::int64_t>> read_status(int folder, const char* field);

// What a descriptor in a folder "fd" leads to, such as "socket:[4711]"; cut to the buffer's size, empty
// if it is gone. Asks nothing of the file's own file system, which may hang.
Result<std::string_view> read_link(int fd_folder, int descriptor, std::span<char> buffer);

// The entries with numeric names of an open folder.
Result<std::vector<int>> read_numbers(int folder);

// The refusal of a process that a thread with this number traces: this program in another pause, or a debugger.
Error traced_by(const std::string& who, pid_t tracer);

// The number given last in this PID namespace, to a process or a thread; 0 if unknown.
pid_t newest_pid();

}  // namespace sockswap::process
