#include "lab/guest/boot.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>

#include "base/endpoint.h"
#include "lab/process.h"

namespace sockswap::lab::guest {
namespace {

using Json = nlohmann::json;

// The root is the machine's own file system, through hostfs: nothing may be made outside of what is mounted
// here.
Result<> mount_all() {
  struct Mount {
    const char *type, *target, *data;
    unsigned long flags;
  };
  constexpr unsigned long plain = MS_NOSUID | MS_NODEV;
  for (const Mount& each :
       {Mount{"proc", "/proc", "", plain}, Mount{"sysfs", "/sys", "", plain},
        Mount{"cgroup2", "/sys/fs/cgroup", "", plain}, Mount{"tmpfs", "/run", "mode=755", plain},
        Mount{"devtmpfs", "/dev", "", 0}, Mount{"devpts", "/dev/pts", "", MS_NOSUID},
        Mount{"tmpfs", "/dev/shm", "mode=1777", MS_NOSUID}}) {
    if (std::string_view(each.target).starts_with("/dev/")) ::mkdir(each.target, 0755);
    if (::mount("guest", each.target, each.type, each.flags, each.data) != 0 && errno != EBUSY)
      return system_failure(errno, std::string("mount ") + each.target);
  }
  for (const char* folder : {"/run/sockswap", "/run/lock"}) ::mkdir(folder, 0755);
  return {};
}

Result<> load(const std::string& module) {
  const Fd file(::open(module.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file || ::syscall(SYS_finit_module, file.get(), "", 0) != 0)
    return system_failure(errno, "load " + module);
  return {};
}

Result<> set(const std::string& key, const std::string& value) {
  std::ofstream file("/proc/sys/" + key);
  if (!(file << value).flush()) return failure(ErrorCode::internal, "can't set " + key);
  return {};
}

Result<> configure_network(const std::string& script) {
  SOCKSWAP_TRY(Process ip, Process::spawn({.argv = {"ip", "-batch", "-"}, .in = Stdio::pipe()}));
  SOCKSWAP_CHECK(ip.write(script));
  SOCKSWAP_TRY(const Output output, ip.finish());
  if (!output.status.ok()) return failure(ErrorCode::internal, "ip: " + output.status.text());
  return {};
}

Result<Fd> listen_at(const Json& where) {
  const auto address = Address::parse(where.at(0).get<std::string>());
  if (!address) return failure(ErrorCode::internal, "the agent's address is none");
  sockaddr_storage at{};
  const socklen_t size = Endpoint{*address, where.at(1).get<std::uint16_t>()}.to_sockaddr(AF_INET, at);
  Fd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!socket || ::bind(socket.get(), reinterpret_cast<const sockaddr*>(&at), size) != 0 ||
      ::listen(socket.get(), 64) != 0)
    return system_failure(errno, "listen for callers");
  return socket;
}

}  // namespace

Result<Fd> boot(const std::filesystem::path& description) {
  const Json self = Json::parse(std::ifstream(description), nullptr, false);
  if (!self.is_object()) return failure(ErrorCode::internal, description.string() + " says nothing");
  SOCKSWAP_CHECK(mount_all());
  const auto name = self.at("name").get<std::string>();
  if (::sethostname(name.data(), name.size()) != 0) return system_failure(errno, "set the guest's name");
  for (const Json& module : self.at("modules")) SOCKSWAP_CHECK(load(module.get<std::string>()));
  for (const auto& [key, value] : self.at("sysctls").items())
    SOCKSWAP_CHECK(set(key, value.get<std::string>()));
  SOCKSWAP_CHECK(configure_network(self.at("ip").get<std::string>()));
  return listen_at(self.at("agent"));
}

}  // namespace sockswap::lab::guest
