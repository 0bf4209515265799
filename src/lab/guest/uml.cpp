#include "lab/guest/uml.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <sstream>

namespace sockswap::lab {
namespace {

constexpr const char* kDebians = "/usr/bin/linux.uml";
// What Debian's kernel has as modules only; another one is to have them built in.
constexpr std::array<const char*, 2> kModules{"net/ipv6/ipv6.ko", "drivers/net/tun.ko"};

// A module's file and those it needs, which come first; of modules.dep, where each line is "file: file …",
// the last of which needs none of the others.
std::vector<std::string> with_needed(const std::filesystem::path& folder, const std::string& module) {
  std::ifstream table(folder / "modules.dep");
  std::vector<std::string> paths;
  for (std::string line; std::getline(table, line);) {
    if (!line.starts_with("kernel/" + module + ":")) continue;
    std::istringstream words(line);
    for (std::string word; words >> word;) {
      if (word.ends_with(':')) word.pop_back();
      paths.insert(paths.begin(), folder / word);
    }
  }
  return paths;
}

}  // namespace

Result<Uml> Uml::find(const std::filesystem::path& kernel) {
  std::error_code ignored;
  if (!std::filesystem::exists(kernel, ignored))
    return failure(ErrorCode::unsupported, fmt::format("{} is missing: a guest's kernel", kernel.string()),
                   "apt-get install user-mode-linux");
  Uml uml;
  uml.kernel_ = kernel;
  if (kernel != kDebians) return uml;
  for (const auto& version : std::filesystem::directory_iterator("/usr/lib/uml/modules", ignored))
    for (const char* module : kModules)
      for (std::string& path : with_needed(version.path(), module))
        if (std::ranges::find(uml.modules_, path) == uml.modules_.end())
          uml.modules_.push_back(std::move(path));
  return uml;
}

Command Uml::boot(const UmlBoot& boot) const {
  Command command{.argv = {kernel_.string(), fmt::format("mem={}M", boot.memory_mib), "rootfstype=hostfs",
                           "rootflags=/", "rw", "quiet", "panic=1", "uml_dir=/run/uml", "con=null",
                           "con0=null,fd:1", "init=" + boot.init.string()},
                  .env = {"HOME=/run"}};
  // It does nothing where nothing is needed.
  std::error_code ignored;
  if (const auto cure = boot.init.parent_path() / "sockswap-lab-xsave.so";
      std::filesystem::exists(cure, ignored))
    command.env.push_back("LD_PRELOAD=" + cure.string());
  // gro: without it a tap carries 3 Mbit/s (frames of 64 KiB don't fit its buffers).
  for (std::size_t i = 0; i < boot.interfaces.size(); ++i) {
    const UmlInterface& each = boot.interfaces[i];
    command.argv.push_back(fmt::format("vec{}:transport=tap,ifname={},depth=128,gro=1{}", i, each.tap,
                                       each.mac.empty() ? "" : ",mac=" + each.mac));
  }
  command.argv.insert(command.argv.end(), boot.environment.begin(), boot.environment.end());
  return command;
}

}  // namespace sockswap::lab
