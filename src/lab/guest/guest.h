// A kernel of its own for a host: User Mode Linux, run as a program of the host's namespaces.
//
//   eth0 of the host — bridge "guest" — tap "inner" = eth0 of the guest      which has the host's addresses
//   tap "calls" = eth1 of the guest                                          where its agent is called
//
// So the cable, its quality, its counters and the host's end stay what they are with the machine's kernel.
// The guest's root is the host's, by hostfs; /run, /dev and /proc are its own. It ends with the host.
#pragma once

#include <chrono>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "lab/command.h"
#include "lab/namespaces.h"
#include "lab/network.h"
#include "lab/process.h"

namespace sockswap::lab {

struct GuestOptions {
  std::filesystem::path agent;  // sockswap-lab-guest
  // Debian's package user-mode-linux; or one that has IPv6 and tun built in.
  std::filesystem::path kernel = "/usr/bin/linux.uml";
  unsigned memory_mib = 256;
};

class Guest {
 public:
  // Boots it, in the namespaces of `host`, whose eth0 exists and has no address. Takes a second or two.
  static Result<std::unique_ptr<Guest>> start(const std::shared_ptr<NamespaceThread>& host,
                                              const std::string& name, const Place& place,
                                              const GuestOptions& options);

  // How far its CLOCK_MONOTONIC is ahead of the machine's, to some 0.1 ms.
  std::chrono::nanoseconds clock_ahead() const { return clock_ahead_; }

  // As Process::spawn(). The pid is the guest's; "inherit" is the guest's console, /run/guest.log on the
  // host.
  Result<Process> spawn(const Command& command);
  // With the folders above it.
  Result<> write_file(const std::string& path, std::string_view content, mode_t mode);

 private:
  explicit Guest(std::shared_ptr<NamespaceThread> host) : host_(std::move(host)) {}
  Result<Fd> call();
  Result<> await_agent();
  Result<> compare_clocks();

  std::shared_ptr<NamespaceThread> host_;
  std::optional<Process> kernel_;
  std::chrono::nanoseconds clock_ahead_{0};
  unsigned streams_ = 0;  // so far: each has a name of its own
};

}  // namespace sockswap::lab
