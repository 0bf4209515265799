// Reading /proc: what the other files here need of it, and no more. Processes vanish at any moment,
// so "not there" is an ordinary answer (std::nullopt, an empty Fd), never an error.
//
// A descriptor for /proc/PID stays with that process: when it ends, reading through it fails even if
// the number is in use again.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>

#include "base/fd.h"

namespace sockswap::process {

// Of a process or a thread: proc_pid_stat(5).
struct Stat {
  std::string command;
  char state = '?';              // R, S, D, T, t, Z …
  std::uint32_t flags = 0;       // PF_*, include/linux/sched.h
  std::uint64_t start_time = 0;  // clock ticks since boot
  bool ended() const { return state == 'Z' || state == 'X'; }
};

Fd open_process(pid_t pid);                                          // /proc/PID, for a thread too
Fd open_folder(int at, const char* name);                            // a folder below it, such as "fd"
std::optional<Stat> read_stat(int folder);                           // of /proc/PID or /proc/PID/task/TID
std::optional<std::string> read_file(int folder, const char* name);  // at most 4 KiB

// A number from the file "status", such as "Tgid" or "TracerPid".
std::optional<std::int64_t> read_status(int folder, const char* field);

// The number given last in this PID namespace, to a process or a thread; 0 if unknown.
pid_t newest_pid();

// The entries with numeric names of an open folder, from its beginning.
class Numbers {
 public:
  explicit Numbers(int folder);
  std::optional<int> next();

 private:
  int folder_;
  int at_ = 0;
  int end_ = 0;
  alignas(8) char buffer_[8192];
};

}  // namespace sockswap::process
