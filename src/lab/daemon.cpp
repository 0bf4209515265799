// Host::start_daemon(): how a lab starts a sockswapd.
#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cerrno>
#include <thread>

#include "lab/host.h"

namespace sockswap::lab {
namespace {

constexpr std::string_view kControlSocket = "/run/sockswap/control.sock";
// Of /proc/net/unix, with the flag of a socket that listens.
constexpr const char* kItsLine = "^[^ ]+ [^ ]+ [^ ]+ 00010000 .* /run/sockswap/control.sock$";
constexpr const char* kLog = "/run/sockswapd.log";
constexpr std::chrono::milliseconds kPollEvery{5};

bool accepts() {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  kControlSocket.copy(address.sun_path, sizeof address.sun_path - 1);
  const Fd socket(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
  if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) return true;
  // Somebody listens there, only with another type of socket.
  return errno == EPROTOTYPE;
}

}  // namespace

bool Host::daemon_accepts() {
  if (!guest_) return inside(accepts);
  const auto found = run({"grep", "-qE", kItsLine, "/proc/net/unix"});
  return found && found->status.ok();
}

Result<Process> Host::start_daemon(const std::string& sockswapd, std::vector<std::string> more_arguments) {
  Command command{.argv = {sockswapd, "--config", "/etc/sockswap", "--run", "/run/sockswap"}};
  command.argv.insert(command.argv.end(), more_arguments.begin(), more_arguments.end());
  command.out = command.err = Stdio::file(kLog);
  SOCKSWAP_TRY(Process daemon, spawn(command));
  const auto until = std::chrono::steady_clock::now() + kPatience;
  while (!daemon_accepts()) {
    const bool ended = !daemon.running();
    if (ended || std::chrono::steady_clock::now() > until) {
      const auto log = run({"cat", kLog});
      return failure(ErrorCode::no_daemon,
                     fmt::format("{}: sockswapd {}", name_,
                                 ended ? "ended at once, with " + daemon.wait()->text()
                                       : std::string("opens no control socket")),
                     log ? log->out : "");
    }
    std::this_thread::sleep_for(kPollEvery);
  }
  return daemon;
}

}  // namespace sockswap::lab
