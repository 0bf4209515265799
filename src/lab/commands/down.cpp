// sockswap-lab down: ends a lab, and returns when nothing of it is left.
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <memory>

#include "base/fd.h"
#include "commands.h"
#include "lab/state_file.h"

namespace sockswap::lab {
namespace {

constexpr int kPatienceMs = 20'000;

Result<int> down(const std::string& name, const bool& dry_run) {
  SOCKSWAP_TRY(const LabState lab, StateFolder().load(name));
  if (dry_run) {
    fmt::print("would end lab {} with {} hosts\n", lab.name, lab.hosts.size());
    return 0;
  }
  const Fd owner(static_cast<int>(::syscall(SYS_pidfd_open, lab.owner.pid, 0)));
  if (!owner || !lab.owner.alive()) return 0;  // it went by itself
  if (::syscall(SYS_pidfd_send_signal, owner.get(), SIGTERM, nullptr, 0) != 0 && errno != ESRCH)
    return system_failure(errno, "end lab " + name, ErrorCode::not_permitted);
  pollfd gone{.fd = owner.get(), .events = POLLIN, .revents = 0};
  if (::poll(&gone, 1, kPatienceMs) <= 0)
    return failure(ErrorCode::timed_out, fmt::format("lab {} (process {}) doesn't end", name, lab.owner.pid),
                   "does somebody sit in a stopped shell on one of its hosts?");
  return 0;
}

}  // namespace

Verb add_down(CLI::App& app) {
  struct Asked {
    std::string name = "lab";
    bool dry_run = false;
  };
  const auto asked = std::make_shared<Asked>();
  app.add_option("--name", asked->name, "Name of the lab")->capture_default_str();
  app.add_flag("--dry-run", asked->dry_run, "Only say what would end");
  return [asked] { return down(asked->name, asked->dry_run); };
}

}  // namespace sockswap::lab
