#include "lab/cluster.h"

#include <fmt/format.h>

#include <csignal>
#include <fstream>
#include <sstream>

#include "cluster/authority.h"
#include "lab/scratch.h"

namespace sockswap::lab {
namespace {

std::string contents(const std::filesystem::path& file) {
  std::ostringstream text;
  text << std::ifstream(file).rdbuf();
  return std::move(text).str();
}

}  // namespace

Result<> make_members(Lab& lab) {
  SOCKSWAP_TRY(const Scratch scratch, Scratch::make("sockswap-lab"));
  const std::filesystem::path folder = scratch.path() / "cluster";
  SOCKSWAP_CHECK(cluster::make_cluster(folder));
  for (const auto& host : lab.hosts())
    SOCKSWAP_CHECK(cluster::add_host(folder, {.name = host->name(), .addresses = {host->v4(), host->v6()}}));
  for (const auto& host : lab.hosts()) {
    for (const char* file : {"ca.pem", "cert.pem", "hosts.toml"})
      SOCKSWAP_CHECK(
          host->write_file(fmt::format("/etc/sockswap/{}", file), contents(folder / host->name() / file)));
    SOCKSWAP_CHECK(
        host->write_file("/etc/sockswap/key.pem", contents(folder / host->name() / "key.pem"), 0600));
  }
  return {};
}

Result<Cluster> Cluster::start(const LabOptions& options, const std::filesystem::path& sockswapd,
                               const std::vector<std::string>& arguments) {
  SOCKSWAP_TRY(Lab lab, Lab::create(options));
  SOCKSWAP_CHECK(make_members(lab));
  Cluster cluster(std::move(lab));
  cluster.sockswapd_ = sockswapd;
  cluster.arguments_ = arguments;
  for (const auto& host : cluster.lab_.hosts()) SOCKSWAP_CHECK(cluster.start_daemon(host->name()));
  return cluster;
}

Result<> Cluster::start_daemon(const std::string& host) {
  SOCKSWAP_TRY(Process daemon, lab_.host(host).start_daemon(sockswapd_.string(), arguments_));
  daemons_.insert_or_assign(host, std::move(daemon));
  return {};
}

Result<> Cluster::kill_daemon(const std::string& host) {
  Process& daemon = daemons_.at(host);
  SOCKSWAP_CHECK(daemon.kill(SIGKILL));
  SOCKSWAP_TRY(const ExitStatus ended, daemon.wait());
  (void)ended;
  daemons_.erase(host);
  return {};
}

Result<> Cluster::end_daemons() {
  for (auto& [host, daemon] : daemons_) SOCKSWAP_CHECK(daemon.kill(SIGTERM));
  for (auto& [host, daemon] : daemons_) SOCKSWAP_CHECK(daemon.wait());
  daemons_.clear();
  return {};
}

}  // namespace sockswap::lab
