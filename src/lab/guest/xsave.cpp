// Preloaded into User Mode Linux on processors whose register state is longer than it expects (AMX): it sets
// a program's floating-point state as far as its buffer of 2,696 bytes reaches, and the kernel takes the
// whole area or nothing (xstateregs_set()). Here the rest is added, as the state of registers that are not in
// use.
#include <cpuid.h>
#include <dlfcn.h>
#include <elf.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <array>
#include <cstdarg>
#include <cstdint>
#include <cstring>

namespace {

constexpr std::size_t most = 1 << 16;
constexpr std::size_t in_use_at = 512;  // XSTATE_BV, the first word of the header (Intel SDM 13.4.2)
constexpr std::uint64_t amx = 3ULL << 17;

using Ptrace = long (*)(__ptrace_request, pid_t, void*, void*);
const auto next = reinterpret_cast<Ptrace>(::dlsym(RTLD_NEXT, "ptrace"));

// Of the features that the kernel has switched on.
std::size_t whole_area() {
  unsigned a = 0, b = 0, c = 0, d = 0;
  return __get_cpuid_count(0xd, 0, &a, &b, &c, &d) != 0 ? b : 0;
}
const std::size_t area = whole_area();

// User Mode Linux is one thread as far as ptrace() goes.
alignas(64) std::array<std::uint8_t, most> buffer;

}  // namespace

// glibc's own takes what the request needs; what is not given is not looked at by the kernel.
extern "C" long ptrace(__ptrace_request request, ...) {
  va_list list;
  va_start(list, request);
  const pid_t pid = va_arg(list, pid_t);
  void* const what = va_arg(list, void*);
  void* const data = va_arg(list, void*);
  va_end(list);
  const auto* const given = static_cast<const iovec*>(data);
  if (request != PTRACE_SETREGSET || reinterpret_cast<std::uintptr_t>(what) != NT_X86_XSTATE ||
      given->iov_len >= area || given->iov_len < in_use_at + sizeof amx || area > buffer.size())
    return next(request, pid, what, data);
  std::memcpy(buffer.data(), given->iov_base, given->iov_len);
  std::memset(buffer.data() + given->iov_len, 0, area - given->iov_len);
  std::uint64_t in_use = 0;
  std::memcpy(&in_use, buffer.data() + in_use_at, sizeof in_use);
  in_use &= ~amx;
  std::memcpy(buffer.data() + in_use_at, &in_use, sizeof in_use);
  iovec padded{buffer.data(), area};
  return ::syscall(SYS_ptrace, request, pid, what, &padded);
}
