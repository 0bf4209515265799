#include "left_behind.h"

#include <fmt/format.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <string_view>

namespace sockswap::faults {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view keeper = "sockswap-keeper";

fs::path proc(pid_t pid) { return fs::path("/proc") / std::to_string(pid); }

char state_of(pid_t pid) {
  std::ifstream file(proc(pid) / "stat");
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  const auto end = text.rfind(')');
  return end == std::string::npos || end + 2 >= text.size() ? '\0' : text[end + 2];
}

std::string command_of(pid_t pid) {
  std::ifstream file(proc(pid) / "comm");
  std::string name;
  std::getline(file, name);
  return name;
}

std::vector<pid_t> processes_of(const lab::Host& host) {
  std::error_code gone;
  const fs::path home = fs::read_symlink(proc(host.init_pid()) / "ns/pid", gone);
  std::vector<pid_t> pids;
  for (fs::directory_iterator it("/proc", gone), end; !gone && it != end; it.increment(gone)) {
    const std::string name = it->path().filename();
    if (name.find_first_not_of("0123456789") != std::string::npos) continue;
    std::error_code unreadable;
    if (fs::read_symlink(it->path() / "ns/pid", unreadable) == home && !unreadable)
      pids.push_back(std::stoi(name));
  }
  return pids;
}

int option(const Fd& socket, int level, int name) {
  int value = 0;
  socklen_t size = sizeof value;
  return ::getsockopt(socket.get(), level, name, &value, &size) == 0 ? value : 0;
}

bool has_filter(const Fd& socket) {
  socklen_t instructions = 0;  // asked with none, the kernel says how many there are
  return ::getsockopt(socket.get(), SOL_SOCKET, SO_GET_FILTER, nullptr, &instructions) == 0 &&
         instructions > 0;
}

void look_at_sockets(pid_t pid, const std::string& who, std::vector<std::string>& complaints) {
  const Fd process(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  std::error_code gone;
  for (fs::directory_iterator it(proc(pid) / "fd", gone), end; !gone && it != end; it.increment(gone)) {
    std::error_code closed;
    if (!fs::read_symlink(it->path(), closed).native().starts_with("socket:")) continue;
    const std::string number = it->path().filename();
    const Fd socket(static_cast<int>(::syscall(SYS_pidfd_getfd, process.get(), std::stoi(number), 0)));
    if (!socket || option(socket, SOL_SOCKET, SO_PROTOCOL) != IPPROTO_TCP) continue;
    if (option(socket, IPPROTO_TCP, TCP_REPAIR) != 0)
      complaints.push_back(fmt::format("{}: socket {} is in repair mode", who, number));
    if (has_filter(socket)) complaints.push_back(fmt::format("{}: socket {} has a filter", who, number));
    if (who.ends_with(keeper)) complaints.push_back(fmt::format("{} keeps socket {}", who, number));
  }
}

}  // namespace

bool is_stopped(pid_t pid) { return state_of(pid) == 'T'; }

pid_t keeper_of(const lab::Host& host) {
  for (const pid_t pid : processes_of(host))
    if (command_of(pid) == keeper) return pid;
  return -1;
}

std::vector<std::string> left_behind(const lab::Host& host) {
  std::vector<std::string> complaints;
  for (const pid_t pid : processes_of(host)) {
    const std::string who = fmt::format("{}'s {}", host.name(), command_of(pid));
    if (const char state = state_of(pid); state == 'T' || state == 't')
      complaints.push_back(fmt::format("{} is stopped ({})", who, state));
    look_at_sockets(pid, who, complaints);
  }
  return complaints;
}

std::vector<std::string> unsettled(lab::Host& host, const std::string& sockswap) {
  std::vector<std::string> complaints;
  auto listed = host.run({sockswap, "moves", "--json"});
  const auto json = nlohmann::json::parse(listed ? listed->out : "", nullptr, false);
  if (json.is_discarded() || !json.contains("moves")) {
    complaints.push_back(fmt::format("{} can't list its moves", host.name()));
  } else {
    for (const auto& move : json["moves"])
      if (const std::string state = move["state"]; state != "finished" && state != "undone")
        complaints.push_back(
            fmt::format("{}'s {} is {}", host.name(), move["role"].get<std::string>(), state));
  }
  const auto left = left_behind(host);
  complaints.insert(complaints.end(), left.begin(), left.end());
  return complaints;
}

}  // namespace sockswap::faults
