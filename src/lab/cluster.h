// A lab whose hosts form a cluster: certificates made, a sockswapd running on each.
#pragma once

#include <filesystem>
#include <map>
#include <string>

#include "lab/lab.h"

namespace sockswap::lab {

class Cluster {
 public:
  // `sockswapd`: the program's path. `arguments` go to every daemon.
  static Result<Cluster> start(const LabOptions& options, const std::filesystem::path& sockswapd,
                               const std::vector<std::string>& arguments = {});

  Lab& lab() { return lab_; }
  Host& host(std::string_view name) { return lab_.host(name); }
  Process& daemon(const std::string& host) { return daemons_.at(host); }

  // SIGKILL, or a new one after it; with the same arguments.
  Result<> kill_daemon(const std::string& host);
  Result<> start_daemon(const std::string& host);
  // SIGTERM to all that run; they end in order.
  Result<> end_daemons();

 private:
  explicit Cluster(Lab lab) : lab_(std::move(lab)) {}

  Lab lab_;
  std::filesystem::path sockswapd_;
  std::vector<std::string> arguments_;
  std::map<std::string, Process> daemons_;
};

// Makes a certificate authority and every host's bundle, and puts each into its /etc/sockswap.
Result<> make_members(Lab& lab);

}  // namespace sockswap::lab
