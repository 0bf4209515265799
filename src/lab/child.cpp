#include "lab/child.h"

#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

namespace sockswap::lab {

std::string ExitStatus::text() const {
  return signal != 0 ? fmt::format("killed by signal {}", signal) : fmt::format("exit status {}", code);
}

OwnChild::~OwnChild() {
  (void)OwnChild::kill(SIGKILL);
  (void)OwnChild::wait(std::chrono::seconds(10));
}

std::optional<ExitStatus> OwnChild::wait(std::chrono::milliseconds timeout) {
  const auto until = std::chrono::steady_clock::now() + timeout;
  for (;;) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - std::chrono::steady_clock::now());
    pollfd gone{.fd = pidfd_.get(), .events = POLLIN, .revents = 0};
    const int ready = ::poll(&gone, 1, static_cast<int>(std::max<std::int64_t>(0, left.count())));
    if (ready > 0) break;
    if (ready == 0) return std::nullopt;
  }
  const std::scoped_lock lock(mutex_);
  if (status_) return status_;
  siginfo_t info{};
  status_ = ExitStatus{};
  // ECHILD: this process ignores SIGCHLD or waits for any child, and the status is lost.
  if (::waitid(P_PIDFD, static_cast<id_t>(pidfd_.get()), &info, WEXITED) != 0)
    status_->code = 255;
  else if (info.si_code == CLD_EXITED)
    status_->code = info.si_status;
  else
    status_->signal = info.si_status;
  return status_;
}

Result<> OwnChild::kill(int signal) {
  const std::scoped_lock lock(mutex_);
  if (status_) return {};
  if (::syscall(SYS_pidfd_send_signal, pidfd_.get(), signal, nullptr, 0) != 0 && errno != ESRCH)
    return system_failure(errno, fmt::format("send signal {} to process {}", signal, pid_));
  return {};
}

}  // namespace sockswap::lab
