#include <fcntl.h>
#include <linux/capability.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <linux/magic.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

#include "check/lacking.h"
#include "check/probes.h"

namespace sockswap::check {
namespace {

// What would change this process for good is tried in a child; its exit status is an errno. Between
// fork() and _exit() only what a forked thread may call.
Result<int> errno_in_child(int (*attempt)()) {
  const pid_t pid = ::fork();
  if (pid < 0) return system_failure(errno, "fork", ErrorCode::no_resources);
  if (pid == 0) ::_exit(attempt() == 0 ? 0 : errno);
  int status = 0;
  if (::waitpid(pid, &status, 0) != pid || !WIFEXITED(status)) return EIO;
  return WEXITSTATUS(status);
}

// In a network namespace of its own, where nobody sees the interface come and go.
int make_tun() {
  if (::unshare(CLONE_NEWNET) != 0) return -1;
  const int fd = ::open("/dev/net/tun", O_RDWR | O_CLOEXEC);
  if (fd < 0) return -1;
  ifreq request{};
  request.ifr_flags = IFF_TUN | IFF_NO_PI;
  return ::ioctl(fd, TUNSETIFF, &request);
}

int make_namespaces() { return ::unshare(CLONE_NEWNET | CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWUTS); }

bool is_cgroup2(const char* path) {
  struct statfs at {};
  return ::statfs(path, &at) == 0 && at.f_type == CGROUP2_SUPER_MAGIC;
}

}  // namespace

Result<> probe_tun() {
  SOCKSWAP_TRY(const int error, errno_in_child(make_tun));
  if (error == 0) return {};
  auto reason = lacking(error, {"make a tun interface", "CAP_NET_ADMIN and CAP_SYS_ADMIN", "2.4"});
  if (error == ENOENT || error == ENODEV) reason.value().hint = "the module tun may be missing";
  return reason;
}

Result<> probe_namespaces() {
  SOCKSWAP_TRY(const int error, errno_in_child(make_namespaces));
  if (error == 0) return {};
  return lacking(error, {"make namespaces", "CAP_SYS_ADMIN", "3.8"});
}

Result<> probe_bpf_sock_ops() {
  if (!is_cgroup2("/sys/fs/cgroup") && !is_cgroup2("/sys/fs/cgroup/unified"))
    return failure(ErrorCode::unsupported, "no cgroup v2 tree is mounted",
                   "mount one at /sys/fs/cgroup or /sys/fs/cgroup/unified");
  const bool may =
      has_capability(CAP_SYS_ADMIN) || (has_capability(CAP_BPF) && has_capability(CAP_NET_ADMIN));
  if (!may)
    return failure(ErrorCode::unsupported, "no right to load a sock_ops program",
                   "needs CAP_BPF and CAP_NET_ADMIN");
  return {};
}

}  // namespace sockswap::check
