#include "process/io_worker.h"

#include "process/proc.h"

namespace sockswap::process {
namespace {

constexpr std::uint32_t kIoWorker = 0x10;  // PF_IO_WORKER, include/linux/sched.h

// The function of io_uring/io-wq.c that an idle worker sleeps in.
constexpr const char* kIdle = "io_wq_worker";

}  // namespace

Result<bool> is_io_worker(int folder) {
  // Any thread can call itself so; the flag is the kernel's, but costs more to read.
  SOCKSWAP_TRY(const auto command, read_file(folder, "comm"));
  if (!command || !command->starts_with("iou-wrk-")) return false;
  SOCKSWAP_TRY(const auto stat, read_stat(folder));
  return stat && (stat->flags & kIoWorker) != 0;
}

Result<> check_idle(int folder, const std::string& owner) {
  SOCKSWAP_TRY(const auto where, read_file(folder, "wchan"));
  if (!where || *where == kIdle) return {};
  SOCKSWAP_TRY(const auto stat, read_stat(folder));
  if (!stat || stat->ended()) return {};
  return failure(ErrorCode::not_movable,
                 "a kernel worker of io_uring in " + owner + " is at work and can't be paused",
                 "try again when its blocking operation has ended");
}

}  // namespace sockswap::process
