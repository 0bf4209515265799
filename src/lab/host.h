// One virtual host: a network, PID, mount and UTS namespace with addresses of its own, joined to the
// lab's network by a Link. Made by Lab. One thread at a time, but for inside(), which any thread may call.
#pragma once

#include <sys/types.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/endpoint.h"
#include "base/result.h"
#include "lab/firewall.h"
#include "lab/guest/guest.h"
#include "lab/host_init.h"
#include "lab/link.h"
#include "lab/namespaces.h"
#include "lab/packet_counter.h"
#include "lab/process.h"

namespace sockswap::lab {

struct InterfaceCounters {
  std::uint64_t rx_packets = 0, rx_bytes = 0;
  std::uint64_t tx_packets = 0, tx_bytes = 0;
};

struct WireCounters {
  WireStatistics in, out;  // as the host sees it
};

class Host {
 public:
  // With `guest`, its programs run on a kernel of their own.
  Host(NamespaceThread& lab, std::string name, Place place, std::uint64_t seed,
       std::optional<GuestOptions> guest = {});
  ~Host();
  Host(const Host&) = delete;
  Host& operator=(const Host&) = delete;

  const std::string& name() const { return name_; }
  const Address& v4() const { return place_.v4; }
  const Address& v6() const { return place_.v6; }
  pid_t init_pid() const { return init_ ? init_->pid() : -1; }  // as seen from outside; -1 when off

  // Everything on the host ends at once and, as with a real machine, without a word to anybody: the cable
  // goes first. power_on() brings it back with the same addresses, /etc and /var/lib; link quality stays,
  // a cut doesn't.
  Result<> power_off();
  Result<> power_on();
  bool is_on() const { return init_.has_value(); }
  // Of its CLOCK_MONOTONIC and the machine's: a guest's began when it was switched on.
  std::chrono::nanoseconds clock_ahead() const {
    return guest_ ? guest_->clock_ahead() : std::chrono::nanoseconds(0);
  }

  // --- programs; each is born into the host and dies with it, with its Process, or when it likes
  Result<Process> spawn(const Command& command);
  Result<Output> run(std::vector<std::string> argv, std::chrono::milliseconds timeout = kPatience);
  // Starts a sockswapd and waits until its control socket accepts. Its words go to /run/sockswapd.log.
  Result<Process> start_daemon(const std::string& sockswapd, std::vector<std::string> more_arguments = {});

  // --- this process's own code, on a thread that is in the host's network and file system: sockets that
  // it opens belong to the host and work from any thread. The host must be on, and its kernel the machine's:
  // a guest's network is beyond this process's reach.
  template <class Job>
  std::invoke_result_t<Job&> inside(Job&& job) {
    return thread_->run(std::forward<Job>(job));
  }
  Result<> write_file(const std::string& path, std::string_view content, mode_t mode = 0644);

  // --- the link
  Result<> set_link(const LinkQuality& quality);
  const LinkQuality& link() const { return quality_; }
  Result<> cut(Direction direction = Direction::both);
  Result<> heal();

  // --- what passed
  Result<InterfaceCounters> interface_counters();  // of eth0, since power_on()
  Result<PacketCounter> count(const PacketFilter& filter);
  Result<Firewall> firewall(const FirewallRules& rules);  // of its own; unsupported on a guest
  std::optional<WireCounters> wire_counters() const;      // none on a link that needs no wire

 private:
  Result<> boot();
  Result<> configure();
  Result<> check_on() const;
  bool daemon_accepts();

  NamespaceThread& lab_;
  const std::string name_;
  const Place place_;
  const std::uint64_t seed_;
  const std::optional<GuestOptions> guest_options_;
  LinkQuality quality_;
  std::optional<HostInit> init_;
  std::shared_ptr<NamespaceThread> thread_;
  std::unique_ptr<Link> link_;
  std::unique_ptr<Guest> guest_;
  std::vector<std::weak_ptr<Child>> children_;
};

}  // namespace sockswap::lab
