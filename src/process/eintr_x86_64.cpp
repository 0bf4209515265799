#include <linux/audit.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>

#include <cerrno>
#include <cstddef>

#include "process/eintr.h"

namespace sockswap::process {
namespace {

// include/linux/errno.h; "if no handler". Never seen by programs, so not in the exported headers.
constexpr long kRestartNoHandler = 514;
constexpr long kX32Bit = 0x40000000;

Result<long> peek(pid_t tid, std::size_t offset) {
  errno = 0;
  const long value = ::ptrace(PTRACE_PEEKUSER, tid, offset, nullptr);
  if (errno != 0) return system_failure(errno, "read registers");
  return value;
}

// A 32-bit call has other numbers, and no such program is paused. EIO: a kernel that doesn't tell; of those that
// have all else that a pause needs this is User Mode Linux, which knows no 32-bit calls.
bool made_64_bit_call(pid_t tid) {
  __ptrace_syscall_info info{};
  const long told = ::ptrace(PTRACE_GET_SYSCALL_INFO, tid, sizeof info, &info);
  return told > 0 ? info.arch == AUDIT_ARCH_X86_64 : errno == EIO;
}

// close() has given up the descriptor even where it says EINTR; started again it would hit whatever
// has taken the number since.
bool may_start_again(long call) { return call >= 0 && (call & ~kX32Bit) != SYS_close; }

Result<> cure(pid_t tid) {
  SOCKSWAP_TRY(const long result, peek(tid, offsetof(user_regs_struct, rax)));
  if (result != -EINTR) return {};
  SOCKSWAP_TRY(const long call, peek(tid, offsetof(user_regs_struct, orig_rax)));
  // -1: rax is a program's own value (interrupted in user mode, or back from a signal handler).
  if (!may_start_again(call) || !made_64_bit_call(tid)) return {};
  if (::ptrace(PTRACE_POKEUSER, tid, offsetof(user_regs_struct, rax), -kRestartNoHandler) != 0)
    return system_failure(errno, "write registers");
  return {};
}

}  // namespace

Result<> check_eintr_cure() { return {}; }

Result<> cure_eintr(pid_t tid) {
  auto cured = cure(tid);
  if (!cured && cured.error().sys_errno == ESRCH) return {};
  return cured;
}

}  // namespace sockswap::process
