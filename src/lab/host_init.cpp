#include "lab/host_init.h"

#include <fcntl.h>
#include <linux/close_range.h>
#include <linux/sched.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>

namespace sockswap::lab {
namespace {

constexpr int kEndTimeoutMs = 10'000;

// Everything below until start() runs in a copy of a possibly multi-threaded process: system calls only.

int set_up_mounts() {
  if (::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) return errno;
  // A proc shows the PID namespace of the process that mounts it, so nobody else can do this for us.
  if (::mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, nullptr) != 0) return errno;
  return 0;
}

// Leaves only the maker's pidfd as 3 and the pipe to it as 4, so that no file of the maker stays open
// because of us. Returns false if it couldn't.
bool keep_only(int maker, int report) {
  const int null = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  const int high_maker = ::fcntl(maker, F_DUPFD_CLOEXEC, 10);
  const int high_report = ::fcntl(report, F_DUPFD_CLOEXEC, 10);
  if (null < 0 || high_maker < 0 || high_report < 0) return false;
  for (int fd = 0; fd < 3; ++fd) ::dup2(null, fd);
  ::dup2(high_maker, 3);
  ::dup2(high_report, 4);
  return ::close_range(5, ~0U, 0) == 0;
}

[[noreturn]] void reap_until_the_end(int maker, int children) {
  std::array<pollfd, 2> watched{
      {{.fd = maker, .events = POLLIN, .revents = 0}, {.fd = children, .events = POLLIN, .revents = 0}}};
  for (;;) {
    if (::poll(watched.data(), watched.size(), -1) < 0) continue;
    if (watched[0].revents != 0) ::_exit(0);
    signalfd_siginfo ignored;
    while (::read(children, &ignored, sizeof ignored) > 0) {
    }
    while (::waitpid(-1, nullptr, WNOHANG) > 0) {
    }
  }
}

[[noreturn]] void be_init(int maker, int report) {
  // Blocked rather than reset: handlers of the maker's must not run here, and none of ours is needed.
  sigset_t signals;
  ::sigfillset(&signals);
  ::sigprocmask(SIG_SETMASK, &signals, nullptr);
  ::sigemptyset(&signals);
  ::sigaddset(&signals, SIGCHLD);
  ::signal(SIGCHLD, SIG_DFL);
  if (!keep_only(maker, report)) ::_exit(1);
  ::prctl(PR_SET_NAME, "lab-init");
  ::setsid();
  const int children = ::signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
  const int error = children < 0 ? errno : set_up_mounts();
  if (::write(4, &error, sizeof error) != sizeof error || error != 0) ::_exit(1);
  ::close(4);
  reap_until_the_end(3, children);
}

}  // namespace

Result<HostInit> HostInit::start() {
  const Fd maker(static_cast<int>(::syscall(SYS_pidfd_open, ::getpid(), 0)));
  if (!maker) return system_failure(errno, "open a pidfd of this process", ErrorCode::unsupported);
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0)
    return system_failure(errno, "make a pipe for a host", ErrorCode::no_resources);
  const Fd reading(ends[0]);
  Fd writing(ends[1]);

  int pidfd = -1;
  clone_args args{};
  args.flags = CLONE_NEWNET | CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWUTS | CLONE_PIDFD;
  args.pidfd = reinterpret_cast<std::uintptr_t>(&pidfd);
  args.exit_signal = SIGCHLD;
  const auto pid = static_cast<pid_t>(::syscall(SYS_clone3, &args, sizeof args));
  if (pid < 0) return system_failure(errno, "make a host's namespaces", ErrorCode::unsupported);
  if (pid == 0) be_init(maker.get(), writing.get());
  HostInit init(pid, Fd(pidfd));
  writing.reset();

  int error = 0;
  if (::read(reading.get(), &error, sizeof error) != sizeof error)
    return failure(ErrorCode::internal, "a host's init ended before it had begun");
  if (error != 0) return system_failure(error, "mount /proc on a host", ErrorCode::unsupported);
  return init;
}

HostInit::~HostInit() {
  if (pidfd_) (void)end([] {});
}

void HostInit::kill() {
  if (pidfd_) ::syscall(SYS_pidfd_send_signal, pidfd_.get(), SIGKILL, nullptr, 0);
}

Result<> HostInit::wait() {
  if (!pidfd_) return {};
  pollfd gone{.fd = pidfd_.get(), .events = POLLIN, .revents = 0};
  if (::poll(&gone, 1, kEndTimeoutMs) <= 0)
    return failure(ErrorCode::timed_out, "a host's processes don't end",
                   "something else that entered the host must wait for its child");
  siginfo_t info{};
  ::waitid(P_PIDFD, static_cast<id_t>(pidfd_.get()), &info, WEXITED | WNOHANG);
  pidfd_.reset();
  return {};
}

}  // namespace sockswap::lab
