#include "stage.h"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <vector>

#include "soak/numbered.h"

namespace sockswap::thesis {
namespace {

// The value under a name in /proc/net/netstat: pairs of lines, names and values.
std::uint64_t value_of(const std::string& netstat, const std::string& group, const std::string& name) {
  std::istringstream lines(netstat);
  for (std::string names, values; std::getline(lines, names) && std::getline(lines, values);) {
    if (!names.starts_with(group + ":")) continue;
    std::istringstream keys(names), numbers(values);
    for (std::string key, number; keys >> key && numbers >> number;)
      if (key == name) return std::stoull(number);
  }
  return 0;
}

}  // namespace

Result<Payload> Payload::make(std::uint64_t bytes) {
  SOCKSWAP_TRY(lab::Scratch scratch, lab::Scratch::make("sockswap-thesis"));
  Payload payload(std::move(scratch), bytes);
  std::ofstream out(payload.path(), std::ios::binary);
  std::vector<unsigned char> block(1 << 20);
  for (std::uint64_t done = 0; done < bytes; done += block.size()) {
    soak::number(done, block);
    out.write(reinterpret_cast<const char*>(block.data()),
              static_cast<std::streamsize>(std::min<std::uint64_t>(block.size(), bytes - done)));
  }
  if (out.flush()) return payload;
  return failure(ErrorCode::internal, fmt::format("no room for {} MB in /tmp", bytes / 1'000'000));
}

Result<std::unique_ptr<Stage>> Stage::start(Kernel kernel, const lab::LinkQuality& link,
                                            const Programs& programs) {
  lab::LabOptions options{.name = "thesis", .hosts = {}};
  for (const char* name : {"alpha", "beta", "gamma"}) {
    lab::HostOptions host{.name = name, .link = link};
    if (kernel != Kernel::shared) host.guest = lab::GuestOptions{.agent = programs.guest};
    if (kernel == Kernel::call) host.guest->kernel = programs.call_kernel;
    options.hosts.push_back(std::move(host));
  }
  SOCKSWAP_TRY(lab::Cluster cluster,
               lab::Cluster::start(options, programs.sockswapd, {"--log-level", "error"}));
  return std::unique_ptr<Stage>(new Stage(std::move(cluster), programs));
}

Result<std::uint64_t> Stage::timeouts() {
  std::uint64_t sum = 0;
  for (const char* name : {"alpha", "beta", "gamma"}) {
    SOCKSWAP_TRY(const lab::Output output, host(name).run({"cat", "/proc/net/netstat"}));
    sum += value_of(output.out, "TcpExt", "TCPTimeouts");
  }
  return sum;
}

Result<double> Stage::staying_pause_ms() {
  SOCKSWAP_TRY(const lab::Output output, host("alpha").run({programs_.sockswap.string(), "moves", "--json"}));
  const auto json = nlohmann::json::parse(output.out, nullptr, false);
  if (json.is_discarded() || !json.contains("moves") || json["moves"].empty())
    return failure(ErrorCode::internal, "`sockswap moves` on alpha shows no move: " + output.err);
  std::map<std::string, double> at_us;
  for (const auto& step : json["moves"].back()["steps"]) at_us[step.at("name")] = step.at("at_us");
  if (!at_us.contains("paused")) return 0;
  return (at_us["swapped"] - at_us["holding"]) / 1000;
}

}  // namespace sockswap::thesis
