#include "lab/host.h"

#include <fmt/format.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "lab/private_files.h"
#include "lab/tool.h"

namespace sockswap::lab {

Host::Host(NamespaceThread& lab, std::string name, Place place, std::uint64_t seed,
           std::optional<GuestOptions> guest)
    : lab_(lab),
      name_(std::move(name)),
      place_(std::move(place)),
      seed_(seed),
      guest_options_(std::move(guest)) {}

Host::~Host() { (void)power_off(); }

Result<> Host::power_on() {
  if (is_on()) return {};
  auto booted = boot();
  if (!booted) {
    (void)power_off();
    return failure(std::move(booted.error()).while_doing("power on " + name_));
  }
  return {};
}

Result<> Host::boot() {
  SOCKSWAP_TRY(HostInit init, lab_.run([] { return HostInit::start(); }));
  init_.emplace(std::move(init));
  SOCKSWAP_TRY(thread_, NamespaceThread::start([this]() -> Result<> {
                 SOCKSWAP_CHECK(join(init_->pidfd()));
                 if (::sethostname(name_.data(), name_.size()) != 0)
                   return system_failure(errno, "set the host's name");
                 return mount_private_folders("/run/disks/" + name_);
               }));
  SOCKSWAP_TRY(link_, Link::plug(lab_, *thread_, init_->pid(), place_, seed_));
  SOCKSWAP_CHECK(configure());
  SOCKSWAP_CHECK(link_->set_quality(quality_));
  SOCKSWAP_CHECK(wait_until_operational(*thread_, "eth0"));
  SOCKSWAP_CHECK(wait_until_operational(lab_, place_.port));
  return wait_until_operational(lab_, place_.upstream);
}

Result<> Host::configure() {
  if (!guest_options_) return configure_host(*thread_, place_);
  SOCKSWAP_TRY(guest_, Guest::start(thread_, name_, place_, *guest_options_));
  return {};
}

Result<> Host::power_off() {
  if (!is_on()) return {};
  link_.reset();
  // Orphaned TCP connections would keep the dead network for minutes, trying to send their last words.
  if (thread_) (void)set_sysctl(*thread_, "net/ipv4/tcp_orphan_retries", "1");
  guest_.reset();
  thread_.reset();
  auto ended = init_->end([this] {
    for (const auto& weak : children_)
      if (const auto child = weak.lock()) (void)child->wait(kPatience);
  });
  children_.clear();
  init_.reset();
  if (!ended) return failure(std::move(ended.error()).while_doing("power off " + name_));
  return {};
}

Result<> Host::check_on() const {
  if (is_on()) return {};
  return failure(ErrorCode::unreachable, name_ + " is switched off", "call power_on()");
}

Result<Process> Host::spawn(const Command& command) {
  SOCKSWAP_CHECK(check_on());
  auto process = guest_ ? guest_->spawn(command) : thread_->run([&] { return Process::spawn(command); });
  if (!process) return failure(std::move(process.error()).while_doing("on " + name_));
  std::erase_if(children_, [](const auto& child) { return child.expired(); });
  children_.push_back(process->child());
  return process;
}

Result<Output> Host::run(std::vector<std::string> argv, std::chrono::milliseconds timeout) {
  Command command{.argv = std::move(argv)};
  command.out = command.err = Stdio::pipe();
  SOCKSWAP_TRY(Process process, spawn(command));
  return process.finish(timeout);
}

Result<> Host::write_file(const std::string& path, std::string_view content, mode_t mode) {
  SOCKSWAP_CHECK(check_on());
  // A guest's /run is its own.
  if (guest_ && path.starts_with("/run/")) return guest_->write_file(path, content, mode);
  return inside([&] { return write_private_file(path, content, mode); });
}

Result<> Host::set_link(const LinkQuality& quality) {
  SOCKSWAP_CHECK(quality.check());
  if (link_) SOCKSWAP_CHECK(link_->set_quality(quality));
  quality_ = quality;
  return {};
}

Result<> Host::cut(Direction direction) {
  SOCKSWAP_CHECK(check_on());
  return link_->cut(direction);
}

Result<> Host::heal() {
  SOCKSWAP_CHECK(check_on());
  return link_->heal();
}

Result<InterfaceCounters> Host::interface_counters() {
  SOCKSWAP_CHECK(check_on());
  SOCKSWAP_TRY(const std::string text, run_tool(*thread_, {"ip", "-j", "-s", "link", "show", "dev", "eth0"}));
  const auto json = nlohmann::json::parse(text, nullptr, false);
  const nlohmann::json::json_pointer statistics("/0/stats64");
  if (json.is_discarded() || !json.contains(statistics))
    return failure(ErrorCode::internal, "ip shows no counters of eth0 on " + name_);
  const auto& both = json[statistics];
  return InterfaceCounters{.rx_packets = both["rx"]["packets"],
                           .rx_bytes = both["rx"]["bytes"],
                           .tx_packets = both["tx"]["packets"],
                           .tx_bytes = both["tx"]["bytes"]};
}

Result<PacketCounter> Host::count(const PacketFilter& filter) {
  SOCKSWAP_CHECK(check_on());
  return PacketCounter::start(thread_, filter);
}

Result<Firewall> Host::firewall(const FirewallRules& rules) {
  SOCKSWAP_CHECK(check_on());
  if (guest_)
    return failure(ErrorCode::unsupported, name_ + " is a guest: its packets pass the host as frames",
                   "put the rules at the lab's router");
  return Firewall::start(thread_, Firewall::Place::host, rules);
}

std::optional<WireCounters> Host::wire_counters() const {
  if (!link_ || link_->wire() == nullptr) return std::nullopt;
  return WireCounters{.in = link_->wire()->inward(), .out = link_->wire()->outward()};
}

}  // namespace sockswap::lab
