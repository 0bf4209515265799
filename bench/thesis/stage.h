// Where a row is measured: three hosts with links of one quality, a daemon on each, and the file that is
// sent.
//
//   alpha  has the end that stays       beta  has the other one at first: its home       gamma  has it then
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

#include "lab/cluster.h"
#include "lab/scratch.h"

namespace sockswap::thesis {

enum class Kernel {
  shared,  // the machine's, hosts are namespaces
  uml,     // one each: Debian's User Mode Linux
  call,    // one each: the same with socket_swap(2) (kernel/)
};

struct Programs {
  std::filesystem::path sockswapd, sockswap, end, guest;  // guest: a User Mode Linux's agent
  std::filesystem::path call_kernel = {};  // what kernel/build makes; rows that need it are left out without
};

// What is sent: numbers (soak/numbered.h). Every host of a stage sees the file.
class Payload {
 public:
  static Result<Payload> make(std::uint64_t bytes);
  std::filesystem::path folder() const { return scratch_.path(); }
  std::filesystem::path path() const { return scratch_.path() / "payload"; }
  std::uint64_t bytes() const { return bytes_; }

 private:
  Payload(lab::Scratch scratch, std::uint64_t bytes) : scratch_(std::move(scratch)), bytes_(bytes) {}
  lab::Scratch scratch_;
  std::uint64_t bytes_;
};

// One row at a time.
class Stage {
 public:
  static Result<std::unique_ptr<Stage>> start(Kernel kernel, const lab::LinkQuality& link,
                                              const Programs& programs);

  lab::Host& host(std::string_view name) { return cluster_.host(name); }
  const Programs& programs() const { return programs_; }
  std::uint16_t next_port() { return ++port_; }  // of a connection: each has one of its own

  // Retransmission timeouts of all hosts so far (TcpExtTCPTimeouts).
  Result<std::uint64_t> timeouts();
  // Milliseconds for which the program at the staying end stood still in the last move; 0 if nobody paused
  // it.
  Result<double> staying_pause_ms();

 private:
  Stage(lab::Cluster cluster, const Programs& programs) : cluster_(std::move(cluster)), programs_(programs) {}

  lab::Cluster cluster_;
  const Programs& programs_;
  std::uint16_t port_ = 5000;
};

}  // namespace sockswap::thesis
