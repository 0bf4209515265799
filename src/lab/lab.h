// A lab: virtual hosts on one machine, joined by a network of their own. Needs root.
//
// Everything lives in namespaces that hang on this process: when the Lab is destroyed, and when the process
// ends in any way (SIGKILL too), the kernel takes hosts, programs, interfaces and mounts away. Nothing of
// the machine's own network, mounts or files is touched. One thread at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "lab/firewall.h"
#include "lab/host.h"

namespace sockswap::lab {

struct HostOptions {
  std::string name;
  LinkQuality link = {};
  std::optional<GuestOptions> guest = {};  // a kernel of its own, instead of the machine's
};

struct LabOptions {
  std::string name = "lab";
  std::vector<HostOptions> hosts = {};
  Topology topology = Topology::bridge;
  std::uint64_t seed = 1;  // of the links' loss, jitter and so on; each host's differs, and replays
};

Result<> check(const LabOptions& options);  // names and numbers only: makes nothing

class Lab {
 public:
  // All hosts on, each knowing the others' names (/etc/hosts).
  static Result<Lab> create(const LabOptions& options);
  Lab(Lab&&) noexcept = default;
  Lab& operator=(Lab&&) = delete;
  ~Lab() = default;

  const std::string& name() const { return name_; }
  Host& host(std::string_view name);  // aborts if the lab was made without it
  const std::vector<std::unique_ptr<Host>>& hosts() const { return hosts_; }
  // At the router between the hosts: of a routed lab, since a bridge passes frames by.
  Result<Firewall> firewall(const FirewallRules& rules);

 private:
  Lab(std::string name, std::unique_ptr<NamespaceThread> thread)
      : name_(std::move(name)), thread_(std::move(thread)) {}
  Result<> introduce();

  std::string name_;
  std::shared_ptr<NamespaceThread> thread_;  // in the network that joins the hosts; outlives them
  std::vector<std::unique_ptr<Host>> hosts_;
};

}  // namespace sockswap::lab
