#include "lab/guest/guest.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <thread>

#include "lab/guest/child.h"
#include "lab/guest/uml.h"
#include "lab/guest/words.h"
#include "lab/private_files.h"
#include "lab/tool.h"

namespace sockswap::lab {
namespace {

using Json = nlohmann::json;

constexpr const char* kDescription = "/etc/sockswap-lab/guest.json";
constexpr const char* kConsole = "/run/guest.log";
constexpr const char* kCallers = "192.168.77.1";
constexpr const char* kAgent = "192.168.77.2";
constexpr std::uint16_t kPort = 7;
constexpr std::chrono::seconds kBootsWithin{60};
constexpr std::chrono::milliseconds kPollEvery{20};

Result<> plug_taps(NamespaceThread& host, const Place& place) {
  // The guest has the place's MAC; a bridge keeps what is for a port's own.
  return run_ip(host,
                fmt::format("link set lo up\n"
                            "link set eth0 address 02:00:00:00:03:{:02x}\n"
                            "link add name guest type bridge stp_state 0 forward_delay 0 mcast_snooping 0\n"
                            "tuntap add dev inner mode tap\ntuntap add dev calls mode tap\n"
                            "link set inner master guest up\nlink set eth0 master guest up\n"
                            "link set guest up\n"
                            "address add {}/30 dev calls\nlink set calls up\n",
                            place.number, kCallers));
}

std::string network_script(const Place& place) {
  return "link set vec0 name eth0\nlink set vec1 name eth1\n" + host_network(place) +
         fmt::format("address add {}/30 dev eth1\nlink set eth1 up\n", kAgent);
}

// All that this process would give a child of its own.
std::vector<std::string> environment(const Command& command) {
  std::vector<std::string> all;
  for (char** at = environ; *at != nullptr; ++at) all.emplace_back(*at);
  all.insert(all.end(), command.env.begin(), command.env.end());
  return all;
}

std::string console(NamespaceThread& host) {
  return host.run([] {
    std::ostringstream text;
    text << std::ifstream(kConsole).rdbuf();
    return std::move(text).str();
  });
}

}  // namespace

Result<std::unique_ptr<Guest>> Guest::start(const std::shared_ptr<NamespaceThread>& host,
                                            const std::string& name, const Place& place,
                                            const GuestOptions& options) {
  SOCKSWAP_TRY(const Uml uml, Uml::find(options.kernel));
  // A port of a bridge that speaks IPv6 itself would answer beside the guest.
  SOCKSWAP_CHECK(set_sysctl(*host, "net/ipv6/conf/all/disable_ipv6", "1"));
  SOCKSWAP_CHECK(set_sysctl(*host, "net/ipv6/conf/default/disable_ipv6", "1"));
  SOCKSWAP_CHECK(plug_taps(*host, place));
  const Json self{{"name", name},
                  {"modules", uml.modules()},
                  {"sysctls", {{"net/ipv4/tcp_orphan_retries", "1"}}},
                  {"ip", network_script(place)},
                  {"agent", {kAgent, kPort}}};
  SOCKSWAP_CHECK(host->run([&] { return write_private_file(kDescription, self.dump(), 0644); }));
  std::unique_ptr<Guest> guest(new Guest(host));
  Command boot = uml.boot({.memory_mib = options.memory_mib,
                           .init = options.agent,
                           .environment = {fmt::format("GUEST={}", kDescription)},
                           .interfaces = {{.tap = "inner", .mac = place.mac}, {.tap = "calls", .mac = {}}}});
  boot.out = boot.err = Stdio::file(kConsole);
  SOCKSWAP_TRY(guest->kernel_, host->run([&] { return Process::spawn(boot); }));
  SOCKSWAP_CHECK(guest->await_agent());
  SOCKSWAP_CHECK(guest->compare_clocks());
  return guest;
}

Result<Fd> Guest::call() {
  return host_->run([]() -> Result<Fd> {
    sockaddr_storage at{};
    const socklen_t size = Endpoint{*Address::parse(kAgent), kPort}.to_sockaddr(AF_INET, at);
    Fd line(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (!line || ::connect(line.get(), reinterpret_cast<const sockaddr*>(&at), size) != 0)
      return system_failure(errno, "call a guest's agent", ErrorCode::unreachable);
    return line;
  });
}

Result<> Guest::await_agent() {
  const auto until = std::chrono::steady_clock::now() + kBootsWithin;
  while (!call()) {
    const bool ended = !kernel_->running();
    if (ended || std::chrono::steady_clock::now() > until)
      return failure(ErrorCode::unsupported,
                     ended ? "a guest's kernel ended while it booted" : "a guest doesn't boot",
                     console(*host_));
    std::this_thread::sleep_for(kPollEvery);
  }
  return {};
}

// The quickest of some answers says most: the guest's clock was read within its round trip.
Result<> Guest::compare_clocks() {
  using Clock = std::chrono::steady_clock;
  SOCKSWAP_TRY(const Fd line, call());
  auto quickest = Clock::duration::max();
  for (int i = 0; i < 20; ++i) {
    const auto asked = Clock::now();
    SOCKSWAP_TRY(const Json answer, ask_agent(line, {{"clock", true}}));
    const auto took = Clock::now() - asked;
    if (took >= quickest) continue;
    quickest = took;
    clock_ahead_ =
        std::chrono::nanoseconds(answer.value("ns", std::int64_t{0})) - (asked + took / 2).time_since_epoch();
  }
  return {};
}

Result<> Guest::write_file(const std::string& path, std::string_view content, mode_t mode) {
  const std::string script = fmt::format("mkdir -p \"${{0%/*}}\" && cat >\"$0\" && chmod {:o} \"$0\"", mode);
  SOCKSWAP_TRY(Process shell, spawn({.argv = {"sh", "-c", script, path}, .in = Stdio::pipe()}));
  SOCKSWAP_CHECK(shell.write(content));
  SOCKSWAP_TRY(const Output output, shell.finish());
  if (output.status.ok()) return {};
  return failure(ErrorCode::internal, fmt::format("create {} on a guest: {}", path, output.status.text()));
}

Result<Process> Guest::spawn(const Command& command) {
  if (command.argv.empty()) return failure(ErrorCode::usage, "an empty command can't be started");
  Json streams = Json::array();
  std::array<Fd, 3> ours;
  for (std::size_t number = 0; number < 3; ++number) {
    const Stdio& stdio = number == 0 ? command.in : number == 1 ? command.out : command.err;
    switch (stdio.kind) {
      case Stdio::Kind::null: streams.push_back({{"kind", "null"}}); break;
      case Stdio::Kind::inherit: streams.push_back({{"kind", "console"}}); break;
      case Stdio::Kind::file: streams.push_back({{"kind", "file"}, {"path", stdio.path}}); break;
      case Stdio::Kind::descriptor:
        return failure(ErrorCode::usage, "a descriptor of this kernel's can't go to a guest's program");
      case Stdio::Kind::pipe: {
        const std::string name = std::to_string(streams_++);
        SOCKSWAP_TRY(ours[number], call());
        if (!guest::say(ours[number], {{"stream", name}}))
          return system_failure(errno, "call a guest's agent", ErrorCode::unreachable);
        streams.push_back({{"kind", "socket"}, {"name", name}});
      }
    }
  }
  SOCKSWAP_TRY(Fd line, call());
  const Json user = command.user ? Json{command.user->uid, command.user->gid} : Json();
  SOCKSWAP_TRY(auto child, GuestChild::run(std::move(line),
                                           {{"run", command.argv},
                                            {"env", environment(command)},
                                            {"cwd", command.cwd},
                                            {"user", user},
                                            {"streams", std::move(streams)}},
                                           command.argv[0]));
  for (const Fd& stream : ours)
    if (stream) ::fcntl(stream.get(), F_SETFL, O_NONBLOCK);
  return Process(std::move(child), std::move(ours[0]), std::move(ours[1]), std::move(ours[2]),
                 command.argv[0]);
}

}  // namespace sockswap::lab
