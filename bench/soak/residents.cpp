#include "residents.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace sockswap::soak {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view ours = "sockswap";
constexpr const char* folders[] = {"/run/sockswap", "/var/lib/sockswap"};

double entries(const fs::path& folder) {
  std::error_code gone;
  double count = 0;
  for (fs::directory_iterator it(folder, gone), end; !gone && it != end; it.increment(gone)) ++count;
  return count;
}

double field(const fs::path& status, std::string_view name) {
  std::ifstream file(status);
  for (std::string line; std::getline(file, line);)
    if (line.starts_with(name)) return std::stod(line.substr(name.size()));
  return 0;
}

// /proc as the host sees it, so that only its processes are there. One that ends meanwhile has zeros.
void add_processes(const std::string& host, Figures& out) {
  std::error_code gone;
  for (fs::directory_iterator it("/proc", gone), end; !gone && it != end; it.increment(gone)) {
    const std::string pid = it->path().filename();
    if (pid == "1" || !std::ranges::all_of(pid, [](char c) { return c >= '0' && c <= '9'; })) continue;
    std::error_code unreadable;
    const std::string program = fs::read_symlink(it->path() / "exe", unreadable).filename();
    if (unreadable || !program.starts_with(ours)) continue;
    const std::string name = host + "." + program.substr(0, program.find(' '));
    out[name + ".processes"] += 1;
    out[name + ".rss_kib"] += field(it->path() / "status", "VmRSS:");
    out[name + ".threads"] += field(it->path() / "status", "Threads:");
    out[name + ".descriptors"] += entries(it->path() / "fd");
  }
}

void add_files(const std::string& host, Figures& out) {
  double files = 0, bytes = 0;
  for (const char* folder : folders) {
    std::error_code gone;
    for (fs::recursive_directory_iterator it(folder, gone), end; !gone && it != end; it.increment(gone)) {
      std::error_code none;
      ++files;
      if (it->is_regular_file(none)) bytes += static_cast<double>(it->file_size(none));
    }
  }
  out[host + ".files"] = files;
  out[host + ".files_kib"] = bytes / 1024;
}

}  // namespace

Result<Figures> residents(lab::Host& host) {
  Figures out;
  host.inside([&] {
    add_processes(host.name(), out);
    add_files(host.name(), out);
  });
  // Every TCP socket, in whatever state, with the filters that hang on it.
  SOCKSWAP_TRY(const lab::Output sockets, host.run({"ss", "-Htanb"}));
  SOCKSWAP_TRY(const lab::Output rules, host.run({"nft", "list", "ruleset"}));
  if (!sockets.status.ok() || !rules.status.ok())
    return failure(ErrorCode::internal,
                   "ss or nft failed on " + host.name() + ": " + sockets.err + rules.err);
  double count = 0, filters = 0;
  std::istringstream lines(sockets.out);
  for (std::string line; std::getline(lines, line);) {
    if (line.find("bpf filter") != std::string::npos) ++filters;
    if (!line.empty() && line.front() != ' ' && line.front() != '\t') ++count;
  }
  out[host.name() + ".sockets"] = count;
  out[host.name() + ".socket_filters"] = filters;
  out[host.name() + ".firewall_lines"] = static_cast<double>(std::ranges::count(rules.out, '\n'));
  return out;
}

}  // namespace sockswap::soak
