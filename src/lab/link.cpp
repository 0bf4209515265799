#include "lab/link.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <sys/ioctl.h>

#include <algorithm>
#include <cerrno>

#include "lab/tool.h"

namespace sockswap::lab {
namespace {

Result<Fd> open_tap(NamespaceThread& where, const std::string& name) {
  return where.run([&]() -> Result<Fd> {
    Fd tap(::open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK));
    ifreq request{};
    request.ifr_flags = IFF_TAP | IFF_NO_PI;
    name.copy(request.ifr_name, IFNAMSIZ - 1);
    if (!tap || ::ioctl(tap.get(), TUNSETIFF, &request) != 0)
      return system_failure(errno, "make tap device " + name, ErrorCode::unsupported);
    return tap;
  });
}

// tbf's bucket: what the rate lets pass in 4 ms, and never less than a large frame of the slowest sender.
std::string rate_line(const std::string& device, std::uint64_t rate, std::chrono::nanoseconds queue) {
  if (rate == 0) return fmt::format("qdisc del dev {} root\n", device);
  const std::uint64_t bucket = std::max<std::uint64_t>(rate / 8 / 250, 32 * 1024);
  return fmt::format("qdisc replace dev {} root tbf rate {}bit burst {} latency {}us\n", device, rate, bucket,
                     std::chrono::duration_cast<std::chrono::microseconds>(queue).count());
}

Result<> run_tc(NamespaceThread& where, const std::string& line) {
  SOCKSWAP_CHECK(run_tool(where, {"tc", "-batch", "-"}, line));
  return {};
}

}  // namespace

Link::Link(NamespaceThread& lab, NamespaceThread& host, const Place& place, std::uint64_t seed)
    : lab_(lab), host_(host), place_(place), seed_(seed) {}

Result<std::unique_ptr<Link>> Link::plug(NamespaceThread& lab, NamespaceThread& host, pid_t init,
                                         const Place& place, std::uint64_t seed) {
  std::unique_ptr<Link> link(new Link(lab, host, place, seed));
  SOCKSWAP_CHECK(run_ip(lab, fmt::format("link add name {0} type veth peer name eth0 address {1} netns {2}\n"
                                         "link set {0} master {3} up\n",
                                         place.port, place.mac, init, place.upstream)));
  return link;
}

Link::~Link() {
  (void)heal();
  // Waits for nothing: the kernel would take the pair down with the host's namespace, but some time later.
  (void)run_ip(lab_, fmt::format("link del {}\n", place_.port));
  if (wire_) (void)run_ip(lab_, fmt::format("link del splice-{}\n", place_.number));
}

Result<> Link::set_quality(const LinkQuality& quality) {
  SOCKSWAP_CHECK(quality.check());
  if (quality.rate != quality_.rate || quality.queue != quality_.queue)
    SOCKSWAP_CHECK(set_rate(quality.rate, quality.queue));
  quality_.rate = quality.rate;
  quality_.queue = quality.queue;
  if (!quality.needs_wire()) {
    if (wire_) SOCKSWAP_CHECK(take_wire_out());
  } else if (wire_) {
    wire_->set_quality(quality);
  } else {
    SOCKSWAP_CHECK(put_wire_in(quality));
  }
  quality_ = quality;
  return {};
}

Result<> Link::put_wire_in(const LinkQuality& quality) {
  const std::string near = fmt::format("near-{}", place_.number);
  const std::string far = fmt::format("far-{}", place_.number);
  SOCKSWAP_TRY(Fd near_tap, open_tap(lab_, near));
  SOCKSWAP_TRY(Fd far_tap, open_tap(lab_, far));
  SOCKSWAP_TRY(wire_, Wire::start(std::move(near_tap), std::move(far_tap), quality, seed_));
  // One large TCP packet becomes 45 frames at once; the default queue of 1000 would lose some unasked.
  return run_ip(lab_, fmt::format("link add name splice-{0} type bridge stp_state 0 forward_delay 0"
                                  " mcast_snooping 0\n"
                                  "link set near-{0} txqueuelen 20000 master splice-{0} up\n"
                                  "link set far-{0} txqueuelen 20000 master {1} up\n"
                                  "link set {2} master splice-{0}\nlink set splice-{0} up\n",
                                  place_.number, place_.upstream, place_.port));
}

Result<> Link::take_wire_out() {
  wire_.reset();  // and its taps with it
  return run_ip(lab_, fmt::format("link set {} master {}\nlink del splice-{}\n", place_.port, place_.upstream,
                                  place_.number));
}

Result<> Link::set_rate(std::uint64_t rate, std::chrono::nanoseconds queue) {
  if (rate == 0 && quality_.rate == 0) return {};
  SOCKSWAP_CHECK(run_tc(lab_, rate_line(place_.port, rate, queue)));
  return run_tc(host_, rate_line("eth0", rate, queue));
}

Result<> Link::cut(Direction direction) {
  SOCKSWAP_CHECK(heal());
  std::string chains;
  // What the host sends enters the lab at its port, and the other way round.
  if (direction != Direction::in)
    chains += fmt::format("chain out {{ type filter hook ingress device {} priority 0; policy drop; }}\n",
                          place_.port);
  if (direction != Direction::out)
    chains += fmt::format("chain in {{ type filter hook egress device {} priority 0; policy drop; }}\n",
                          place_.port);
  SOCKSWAP_CHECK(run_nft(lab_, fmt::format("table netdev cut-{} {{\n{}}}\n", place_.number, chains)));
  cut_ = true;
  return {};
}

Result<> Link::heal() {
  if (!cut_) return {};
  SOCKSWAP_CHECK(run_nft(lab_, fmt::format("delete table netdev cut-{}\n", place_.number)));
  cut_ = false;
  return {};
}

}  // namespace sockswap::lab
