#include "lab/lab.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <set>

namespace sockswap::lab {
namespace {

// As in a DNS name, since it becomes the host's name; also a folder's.
bool is_name(std::string_view text) {
  const auto fits = [](unsigned char c) { return std::islower(c) != 0 || std::isdigit(c) != 0 || c == '-'; };
  return !text.empty() && text.size() <= 32 && text.front() != '-' &&
         std::all_of(text.begin(), text.end(), fits);
}

}  // namespace

Result<> check(const LabOptions& options) {
  if (!is_name(options.name))
    return failure(ErrorCode::usage, fmt::format("\"{}\" is no name for a lab", options.name),
                   "use lower-case letters, digits and hyphens");
  if (options.hosts.empty() || options.hosts.size() > kMostHosts)
    return failure(ErrorCode::usage, fmt::format("a lab has 1 to {} hosts", kMostHosts));
  std::set<std::string_view> names;
  for (const HostOptions& host : options.hosts) {
    if (!is_name(host.name))
      return failure(ErrorCode::usage, fmt::format("\"{}\" is no name for a host", host.name),
                     "use lower-case letters, digits and hyphens, such as alpha");
    if (!names.insert(host.name).second)
      return failure(ErrorCode::usage, fmt::format("two hosts are called {}", host.name));
    SOCKSWAP_CHECK(host.link.check());
  }
  return {};
}

Result<Lab> Lab::create(const LabOptions& options) {
  SOCKSWAP_CHECK(check(options));
  if (::geteuid() != 0)
    return failure(ErrorCode::not_permitted, "a lab needs root, to make namespaces and interfaces",
                   "run it with sudo");
  SOCKSWAP_TRY(auto thread, NamespaceThread::start(leave_the_machine));
  Lab lab(options.name, std::move(thread));
  SOCKSWAP_CHECK(build_network(*lab.thread_, options.topology, options.hosts.size()));
  for (const HostOptions& asked : options.hosts) {
    const std::size_t number = lab.hosts_.size() + 1;
    lab.hosts_.push_back(std::make_unique<Host>(*lab.thread_, asked.name, place(options.topology, number),
                                                options.seed * (kMostHosts + 1) + number, asked.guest));
    Host& host = *lab.hosts_.back();
    SOCKSWAP_CHECK(host.set_link(asked.link));
    SOCKSWAP_CHECK(host.power_on());
  }
  SOCKSWAP_CHECK(lab.introduce());
  return lab;
}

Result<> Lab::introduce() {
  std::string table = "127.0.0.1 localhost\n::1 localhost\n";
  for (const auto& host : hosts_)
    table += fmt::format("{0} {2}\n{1} {2}\n", host->v4().text(), host->v6().text(), host->name());
  for (const auto& host : hosts_) {
    SOCKSWAP_CHECK(host->write_file("/etc/hosts", table));
    SOCKSWAP_CHECK(host->write_file("/etc/hostname", host->name() + "\n"));
  }
  return {};
}

Result<Firewall> Lab::firewall(const FirewallRules& rules) {
  return Firewall::start(thread_, Firewall::Place::router, rules);
}

Host& Lab::host(std::string_view name) {
  const auto found =
      std::find_if(hosts_.begin(), hosts_.end(), [&](const auto& host) { return host->name() == name; });
  if (found == hosts_.end()) std::abort();
  return **found;
}

}  // namespace sockswap::lab
