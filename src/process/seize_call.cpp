#include "process/seize_call.h"

#include <setjmp.h>
#include <signal.h>
#include <sys/ptrace.h>

#include <cerrno>

namespace sockswap::process {
namespace {

// Where this thread's call of seize() can be left to.
struct WayOut {
  sigjmp_buf to;
  const std::atomic<bool>* called_off;
};

// Lock-free, as a handler needs it.
thread_local std::atomic<WayOut*> way_out{nullptr};

void leave(int) {
  WayOut* out = way_out.load();
  if (out != nullptr && out->called_off->load()) ::siglongjmp(out->to, 1);
}

}  // namespace

int call_off_signal() { return SIGRTMAX - 3; }

Result<> SeizeCall::prepare() {
  static const int error = [] {
    struct sigaction action {};
    action.sa_handler = leave;
    action.sa_flags = SA_RESTART;
    return ::sigaction(call_off_signal(), &action, nullptr) == 0 ? 0 : errno;
  }();
  if (error != 0) return system_failure(error, "install the handler that calls a pause off");
  return {};
}

// The flag is looked at after the way out is there, and set before the signal is sent: one of the two
// sees the other. The jump leaves the signal blocked; it is needed once.
int SeizeCall::seize(pid_t tid, long options) {
  WayOut here;
  here.called_off = &called_off_;
  if (sigsetjmp(here.to, 0) != 0) {
    way_out = nullptr;
    return EINTR;
  }
  way_out = &here;
  int error = EINTR;
  if (!called_off_) error = ::ptrace(PTRACE_SEIZE, tid, nullptr, options) == 0 ? 0 : errno;
  way_out = nullptr;
  return error;
}

void SeizeCall::call_off(pthread_t tracer) {
  called_off_ = true;
  ::pthread_kill(tracer, call_off_signal());
}

}  // namespace sockswap::process
