#include <elf.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cstring>
#include <optional>

#include "process/eintr.h"
#include "process/io_poll.h"
#include "process/io_worker.h"
#include "process/pause.h"
#include "process/proc.h"

namespace sockswap::process {
namespace {

// What exec put on the program's stack, as the kernel keeps it in its own memory; the ELF header would
// have to be asked of the program's file system, which may hang. A 64-bit process has entries of 8 bytes
// type, a small number, and 8 bytes value. In a 32-bit one a type and its value share 8 bytes, and values
// like the page size aren't 0. Empty for a thread that has ended. std::nullopt then.
Result<std::optional<bool>> is_64_bit(int folder) {
  SOCKSWAP_TRY(const auto vector, read_file(folder, "auxv"));
  if (!vector || vector->empty()) return std::nullopt;
  for (std::size_t at = 0; at + 16 <= vector->size(); at += 16) {
    std::uint64_t type = 0;
    std::memcpy(&type, vector->data() + at, sizeof type);
    if (type == AT_NULL) break;
    if (type > UINT32_MAX) return false;
  }
  return true;
}

Result<> check_untraced(int folder, const std::string& who) {
  SOCKSWAP_TRY(const auto tracer, read_status(folder, "TracerPid"));
  if (tracer.value_or(0) == 0) return {};
  return failure(traced_by(who, static_cast<pid_t>(*tracer)));
}

// A debugger can trace a single thread, and a tracer that has nothing to do with the others makes an exec
// wait for it (seize_call.h).
Result<> check_threads(int folder, const std::string& who) {
  SOCKSWAP_TRY(const Fd tasks, open_folder(folder, "task"));
  if (!tasks) return {};
  SOCKSWAP_TRY(const auto tids, read_numbers(tasks.get()));
  std::optional<bool> wide;  // the first thread may have ended before the others
  for (const int tid : tids) {
    SOCKSWAP_TRY(const Fd task, open_folder(tasks.get(), fmt::format("{}", tid).c_str()));
    if (!task) continue;
    SOCKSWAP_CHECK(check_untraced(task.get(), who));
    if (!wide) {
      SOCKSWAP_TRY(wide, is_64_bit(task.get()));
    }
    if (wide == false)
      return failure(ErrorCode::not_movable, who + " is a 32-bit program, which can't be paused unseen");
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
