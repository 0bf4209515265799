#include <elf.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include "process/eintr.h"
#include "process/io_poll.h"
#include "process/io_worker.h"
#include "process/pause.h"
#include "process/proc.h"

namespace sockswap::process {
namespace {

Result<> check_64_bit(int folder, const std::string& who) {
  SOCKSWAP_TRY(const auto start, read_file(folder, "exe"));
  if (!start || start->size() <= EI_CLASS || (*start)[EI_CLASS] == ELFCLASS64) return {};
  return failure(ErrorCode::not_movable, who + " is a 32-bit program, which can't be paused unseen");
}

Result<> check_untraced(int folder, const std::string& who) {
  SOCKSWAP_TRY(const auto tracer, read_status(folder, "TracerPid"));
  if (tracer.value_or(0) == 0) return {};
  return failure(ErrorCode::busy, fmt::format("{} is traced by process {}", who, *tracer),
                 "detach the debugger first");
}

// A debugger can trace a single thread, and a tracer that has nothing to do with the others makes an exec
// wait for it (seize_call.h).
Result<> check_threads(int folder, const std::string& who) {
  SOCKSWAP_TRY(const Fd tasks, open_folder(folder, "task"));
  if (!tasks) return {};
  SOCKSWAP_TRY(const auto tids, read_numbers(tasks.get()));
  for (const int tid : tids) {
    SOCKSWAP_TRY(const Fd task, open_folder(tasks.get(), fmt::format("{}", tid).c_str()));
    if (!task) continue;
    SOCKSWAP_CHECK(check_untraced(task.get(), who));
    SOCKSWAP_TRY(const bool worker, is_io_worker(task.get()));
    if (worker) SOCKSWAP_CHECK(check_idle(task.get(), who));
  }
  return {};
}

Result<> check_process(const Holder& holder) {
  const std::string who = fmt::format("process {} ({})", holder.pid, holder.command);
  if (holder.pid == ::getpid()) return failure(ErrorCode::usage, "a program can't pause itself");
  SOCKSWAP_TRY(const Fd folder, open_process(holder.pid));
  if (!folder) return {};
  SOCKSWAP_CHECK(check_64_bit(folder.get(), who));
  SOCKSWAP_CHECK(check_threads(folder.get(), who));
  return check_no_poll_requests(folder.get(), who);
}

}  // namespace

Result<> PausableProcesses::check(std::span<const Holder> holders) {
  SOCKSWAP_CHECK(check_eintr_cure());
  for (const Holder& holder : holders) {
    const std::pair key(holder.pid, holder.start_time);
    auto known = answers_.find(key);
    if (known == answers_.end()) known = answers_.emplace(key, check_process(holder)).first;
    if (!known->second) return known->second;
  }
  return {};
}

Result<> check_pausable(std::span<const Holder> holders) { return PausableProcesses{}.check(holders); }

}  // namespace sockswap::process
