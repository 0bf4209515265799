// sockswap-lab up: makes a lab, and owns it until SIGTERM, SIGINT or SIGHUP.
#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <filesystem>
#include <memory>

#include "commands.h"
#include "lab/cluster.h"
#include "lab/lab.h"
#include "lab/state_file.h"

namespace sockswap::lab {
namespace {

struct Asked {
  std::string name = "lab";
  std::vector<std::string> hosts{"alpha", "beta", "gamma"};
  std::string topology = "bridge";
  std::string delay = "0ms", jitter = "0ms", loss = "0", duplicate = "0", reorder = "0", rate = "0bit";
  std::uint64_t seed = 1;
  std::string sockswapd;
  bool foreground = false;
  bool dry_run = false;
};

Result<LabOptions> options_of(const Asked& asked) {
  LinkQuality link;
  SOCKSWAP_TRY(link.delay, parse_duration(asked.delay));
  SOCKSWAP_TRY(link.jitter, parse_duration(asked.jitter));
  SOCKSWAP_TRY(link.loss, parse_share(asked.loss));
  SOCKSWAP_TRY(link.duplicate, parse_share(asked.duplicate));
  SOCKSWAP_TRY(link.reorder, parse_share(asked.reorder));
  SOCKSWAP_TRY(link.rate, parse_rate(asked.rate));
  LabOptions options{.name = asked.name, .hosts = {}, .topology = {}, .seed = asked.seed};
  SOCKSWAP_TRY(options.topology, parse_topology(asked.topology));
  for (const std::string& host : asked.hosts) options.hosts.push_back({.name = host, .link = link});
  SOCKSWAP_CHECK(check(options));
  return options;
}

LabState state_of(const Lab& lab, Topology topology) {
  LabState state{.name = lab.name(),
                 .topology = std::string(name(topology)),
                 .owner = ProcessName::of(::getpid()).value_or(ProcessName{}),
                 .hosts = {}};
  for (const auto& host : lab.hosts())
    state.hosts.push_back({.name = host->name(),
                           .v4 = host->v4().text(),
                           .v6 = host->v6().text(),
                           .init = ProcessName::of(host->init_pid()).value_or(ProcessName{})});
  return state;
}

void print(const LabOptions& options) {
  for (std::size_t i = 0; i < options.hosts.size(); ++i) {
    const Place at = place(options.topology, i + 1);
    fmt::print("{:<12} {:<15} {}\n", options.hosts[i].name, at.v4.text(), at.v6.text());
  }
  const std::string which = options.name == "lab" ? "" : " --name " + options.name;
  fmt::print("\nenter with  sockswap-lab enter{} {}\nend with    sockswap-lab down{}\n", which,
             options.hosts.front().name, which);
  std::fflush(stdout);
}

Result<int> own(const LabOptions& options, const std::string& sockswapd, const std::function<void()>& ready) {
  // Before the lab makes threads, so that none of them takes these signals.
  sigset_t end;
  ::sigemptyset(&end);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP}) ::sigaddset(&end, signal);
  ::sigprocmask(SIG_BLOCK, &end, nullptr);

  const StateFolder folder;
  SOCKSWAP_TRY(Lab lab, Lab::create(options));
  std::vector<Process> daemons;
  if (!sockswapd.empty()) {
    SOCKSWAP_CHECK(make_members(lab));
    for (const auto& host : lab.hosts()) {
      SOCKSWAP_TRY(Process daemon, host->start_daemon(sockswapd));
      daemons.push_back(std::move(daemon));
    }
  }
  SOCKSWAP_CHECK(folder.save(state_of(lab, options.topology)));
  ready();
  int signal = 0;
  ::sigwait(&end, &signal);
  folder.remove(options.name);
  return 0;
}

// Leaves the terminal and the folder that it was started in to others.
void detach() {
  const Fd null(::open("/dev/null", O_RDWR | O_CLOEXEC));
  for (int fd = 0; fd < 3; ++fd) ::dup2(null.get(), fd);
  (void)!::chdir("/");
}

Result<int> own_in_background(const LabOptions& options, const std::string& sockswapd) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0)
    return system_failure(errno, "make a pipe", ErrorCode::no_resources);
  const Fd reading(ends[0]);
  Fd writing(ends[1]);
  const pid_t pid = ::fork();
  if (pid < 0) return system_failure(errno, "go to the background", ErrorCode::no_resources);
  if (pid == 0) {
    ::setsid();
    return own(options, sockswapd, [&] {
      print(options);
      detach();
      (void)!::write(writing.get(), "", 1);
      writing.reset();
    });
  }
  writing.reset();
  char ready = 0;
  if (::read(reading.get(), &ready, 1) == 1) return 0;
  // The owner has said itself why it failed; its exit status is this command's.
  int status = 0;
  ::waitpid(pid, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : static_cast<int>(ErrorCode::internal);
}

}  // namespace

Verb add_up(CLI::App& app) {
  const auto asked = std::make_shared<Asked>();
  app.add_option("--name", asked->name, "Name of the lab")->capture_default_str();
  app.add_option("--hosts", asked->hosts, "Names of the hosts")->delimiter(',')->capture_default_str();
  app.add_option("--topology", asked->topology, "bridge (one subnet) or routed (a subnet a host)")
      ->capture_default_str();
  app.add_option("--delay", asked->delay, "Delay of each host's link, each way, such as 10ms");
  app.add_option("--jitter", asked->jitter, "Random addition to the delay, such as 2ms");
  app.add_option("--loss", asked->loss, "Share of frames lost, such as 1%");
  app.add_option("--duplicate", asked->duplicate, "Share of frames that come twice");
  app.add_option("--reorder", asked->reorder, "Share of frames that later ones overtake");
  app.add_option("--rate", asked->rate, "Rate of each host's link, such as 100mbit");
  app.add_option("--seed", asked->seed, "Seed of what is random; the same seed, the same losses")
      ->capture_default_str();
  app.add_option("--daemons", asked->sockswapd, "Make the hosts a cluster, and run this sockswapd on each")
      ->check(CLI::ExistingFile);
  app.add_flag("--foreground", asked->foreground, "Stay, and end the lab with Ctrl-C");
  app.add_flag("--dry-run", asked->dry_run, "Only print the hosts that would be made");
  return [asked]() -> Result<int> {
    SOCKSWAP_TRY(const LabOptions options, options_of(*asked));
    if (asked->dry_run) {
      print(options);
      return 0;
    }
    // The daemons start in the root folder of their hosts.
    const std::string sockswapd =
        asked->sockswapd.empty() ? "" : std::filesystem::absolute(asked->sockswapd).string();
    if (asked->foreground) return own(options, sockswapd, [&] { print(options); });
    return own_in_background(options, sockswapd);
  };
}

}  // namespace sockswap::lab
