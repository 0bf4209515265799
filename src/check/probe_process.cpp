#include <linux/capability.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <thread>
#include <utility>

#include "base/endpoint.h"
#include "check/lacking.h"
#include "check/probes.h"
#include "process/pause.h"
#include "process/proc.h"
#include "process/sock_diag.h"

namespace sockswap::check {
namespace {

using namespace std::chrono_literals;

constexpr uid_t kSomebodyElse = 65534;
constexpr std::chrono::milliseconds kPatience = 50ms;

enum class Wait { in_recv, in_epoll };

// A child that waits for one byte on its end of a socket pair, and says by its exit status whether
// that was all that it saw. It runs as another user if it can: that is what the rights are needed for.
// Between fork() and _exit() only what a forked thread may call.
class Sleeper {
 public:
  static Result<Sleeper> start(Wait wait) {
    int ends[2];
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
      return system_failure(errno, "socketpair");
    Sleeper sleeper;
    sleeper.ours_ = Fd(ends[0]);
    sleeper.its_ = Fd(ends[1]);
    sleeper.pid_ = ::fork();
    if (sleeper.pid_ < 0) return system_failure(errno, "fork", ErrorCode::no_resources);
    if (sleeper.pid_ == 0) {
      ::close(ends[0]);
      ::_exit(sleep(ends[1], wait));
    }
    SOCKSWAP_TRY(const Fd folder, process::open_process(sleeper.pid_));
    for (int i = 0; i < 500; ++i) {
      SOCKSWAP_TRY(const auto stat, process::read_stat(folder.get()));
      if (stat && stat->state == 'S') break;
      std::this_thread::sleep_for(100us);
    }
    return sleeper;
  }
  Sleeper(Sleeper&& other) noexcept
      : pid_(std::exchange(other.pid_, -1)), ours_(std::move(other.ours_)), its_(std::move(other.its_)) {}
  ~Sleeper() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }

  std::uint32_t inode() const {
    struct stat file {};
    ::fstat(its_.get(), &file);
    return static_cast<std::uint32_t>(file.st_ino);
  }

  Result<std::vector<process::Holder>> holders() const {
    SOCKSWAP_TRY(auto holders, process::find_holders(inode(), ::getpid()));
    if (holders.size() != 1) return failure(ErrorCode::unsupported, "/proc doesn't show who holds a socket");
    return holders;
  }

  // Ends it: did it see anything but the byte?
  bool undisturbed() {
    if (::send(ours_.get(), "x", 1, MSG_NOSIGNAL) != 1) return false;
    int status = -1;
    const bool ended = ::waitpid(std::exchange(pid_, -1), &status, 0) > 0;
    return ended && status == 0;
  }

 private:
  Sleeper() = default;

  static int sleep(int end, Wait wait) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    [[maybe_unused]] const int changed = ::setresuid(kSomebodyElse, kSomebodyElse, kSomebodyElse);
    char byte;
    if (wait == Wait::in_recv) return ::recv(end, &byte, 1, 0) == 1 ? 0 : 1;
    const int poller = ::epoll_create1(0);
    epoll_event event{.events = EPOLLIN, .data = {}};
    ::epoll_ctl(poller, EPOLL_CTL_ADD, end, &event);
    return ::epoll_wait(poller, &event, 1, -1) == 1 ? 0 : 1;
  }

  pid_t pid_ = -1;
  Fd ours_;
  Fd its_;
};

Result<> check_trace_right() {
  if (has_capability(CAP_SYS_PTRACE)) return {};
  return failure(ErrorCode::unsupported, "programs of other users are out of reach", "needs CAP_SYS_PTRACE");
}

Result<> pause_unseen(Wait wait) {
  SOCKSWAP_CHECK(check_trace_right());
  SOCKSWAP_TRY(Sleeper sleeper, Sleeper::start(wait));
  SOCKSWAP_TRY(const auto holders, sleeper.holders());
  SOCKSWAP_CHECK(process::check_pausable(holders));
  SOCKSWAP_TRY(process::Paused paused, process::Paused::pause(holders, sleeper.inode(), kPatience));
  SOCKSWAP_CHECK(paused.resume());
  if (!sleeper.undisturbed()) return failure(ErrorCode::unsupported, "a paused program notices the pause");
  return {};
}

Result<FourTuple> tuple_of(const Fd& fd) {
  sockaddr_storage local{}, remote{};
  socklen_t size = sizeof local;
  if (::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&local), &size) != 0)
    return system_failure(errno, "getsockname");
  size = sizeof remote;
  if (::getpeername(fd.get(), reinterpret_cast<sockaddr*>(&remote), &size) != 0)
    return system_failure(errno, "getpeername");
  SOCKSWAP_TRY(const Endpoint here, Endpoint::from_sockaddr(local));
  SOCKSWAP_TRY(const Endpoint there, Endpoint::from_sockaddr(remote));
  return FourTuple{here, there};
}

}  // namespace

Result<> probe_sock_diag() {
  SOCKSWAP_TRY(const Connection connection, connect_loopback());
  SOCKSWAP_TRY(const FourTuple tuple, tuple_of(connection.client));
  SOCKSWAP_TRY(const auto all, process::list_connections());
  if (std::none_of(all.begin(), all.end(), [&](const auto& entry) { return entry.tuple == tuple; }))
    return failure(ErrorCode::unsupported, "the kernel's socket list lacks a connection",
                   "the module tcp_diag may be missing");
  return {};
}

Result<> probe_sock_diag_exact() {
  SOCKSWAP_TRY(const Connection connection, connect_loopback());
  SOCKSWAP_TRY(const FourTuple tuple, tuple_of(connection.client));
  SOCKSWAP_TRY(const auto found, process::find_connection(tuple));
  if (!found) return failure(ErrorCode::unsupported, "the kernel doesn't find a connection by its addresses");
  return {};
}

Result<> probe_ptrace_pause() { return pause_unseen(Wait::in_recv); }

Result<> probe_eintr_cure() { return pause_unseen(Wait::in_epoll); }

Result<> probe_pidfd_getfd() {
  SOCKSWAP_CHECK(check_trace_right());
  SOCKSWAP_TRY(const Sleeper sleeper, Sleeper::start(Wait::in_recv));
  SOCKSWAP_TRY(const auto holders, sleeper.holders());
  const auto taken = process::take_descriptor(holders[0], sleeper.inode());
  if (taken) return {};
  if (taken.error().sys_errno == 0) return failure(taken.error());
  return lacking(taken.error().sys_errno, {"pidfd_getfd", "CAP_SYS_PTRACE", "5.6"});
}

}  // namespace sockswap::check
