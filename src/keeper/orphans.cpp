#include "keeper/orphans.h"

#include <sys/socket.h>

#include <algorithm>
#include <optional>

#include "base/fd.h"
#include "base/log.h"
#include "process/holders.h"
#include "socket/end.h"

namespace sockswap::keeper {
namespace {

constexpr int so_netns_cookie = 71;  // SO_NETNS_COOKIE, asm-generic/socket.h, since Linux 5.14

std::optional<std::uint64_t> network_of(int fd) {
  std::uint64_t cookie = 0;
  socklen_t size = sizeof cookie;
  if (::getsockopt(fd, SOL_SOCKET, so_netns_cookie, &cookie, &size) != 0) return std::nullopt;
  return cookie;
}

// Programs that end meanwhile have none to be rescued.
std::optional<Fd> take_one(const std::vector<process::Holder>& holders, std::uint32_t inode) {
  for (const process::Holder& holder : holders)
    if (auto fd = process::take_descriptor(holder, inode)) return *std::move(fd);
  return std::nullopt;
}

}  // namespace

Result<> rescue_orphans(socket::Kernel& kernel) {
  const Fd ours(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!ours) return system_failure(errno, "make a socket", ErrorCode::no_resources);
  const auto network = network_of(ours.get());
  SOCKSWAP_TRY(const process::Holders everybody, process::all_holders());
  for (const auto& [inode, holders] : everybody) {
    const auto fd = take_one(holders, inode);
    const auto freezer = fd ? socket::frozen_by(kernel, fd->get()) : std::nullopt;
    if (!freezer || network_of(fd->get()) != network) continue;
    if (std::ranges::find(holders, *freezer, &process::Holder::pid) != holders.end()) continue;  // it lives
    const process::Holder& holder = holders.front();
    auto rescued = socket::rescue(kernel, fd->get());
    if (!rescued) {
      log::error("an end of process {} ({}) stays frozen: {}", holder.pid, holder.command,
                 rescued.error().text());
      continue;
    }
    const bool thawed = *rescued == socket::Rescue::thawed;
    log::warn("an end of process {} ({}) was left frozen by a keeper that was killed: {}", holder.pid,
              holder.command, thawed ? "it goes on where it is" : "disconnected, as bytes of it are lost");
  }
  return {};
}

}  // namespace sockswap::keeper
