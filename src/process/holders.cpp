#include "process/holders.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <string_view>

#include "process/holder_scan.h"
#include "process/proc.h"

namespace sockswap::process {
namespace {

std::optional<std::uint32_t> socket_inode(std::string_view target) {
  constexpr std::string_view prefix = "socket:[";
  if (!target.starts_with(prefix)) return std::nullopt;
  std::uint32_t inode = 0;
  const auto parsed = std::from_chars(target.data() + prefix.size(), target.data() + target.size(), inode);
  if (parsed.ec != std::errc{} || *parsed.ptr != ']') return std::nullopt;
  return inode;
}

using Found = std::map<std::uint32_t, std::vector<int>>;

// `folder`: of a process or of one of its threads.
Result<> scan_table(int folder, Found& found, bool& any) {
  SOCKSWAP_TRY(const Fd table, open_folder(folder, "fd"));
  if (!table) return {};
  SOCKSWAP_TRY(const auto descriptors, read_numbers(table.get()));
  for (const int descriptor : descriptors) {
    any = true;
    char buffer[32];
    SOCKSWAP_TRY(const std::string_view target, read_link(table.get(), descriptor, buffer));
    if (const auto inode = socket_inode(target)) found[*inode].push_back(descriptor);
  }
  return {};
}

// Once its first thread has ended, a process shows its descriptors only under its other threads.
Result<Found> scan_threads(int folder) {
  Found found;
  bool any = false;
  SOCKSWAP_CHECK(scan_table(folder, found, any));
  if (any) return found;
  SOCKSWAP_TRY(const Fd tasks, open_folder(folder, "task"));
  if (!tasks) return found;
  SOCKSWAP_TRY(const auto tids, read_numbers(tasks.get()));
  for (const int tid : tids) {
    SOCKSWAP_TRY(const Fd task, open_folder(tasks.get(), fmt::format("{}", tid).c_str()));
    if (task) SOCKSWAP_CHECK(scan_table(task.get(), found, any));
    if (any) break;
  }
  return found;
}

// One that may not be looked into shows nothing: if it failed the search, a single one that a security
// module shields would keep everything on the host from moving. The kernel also says EACCES of a process
// that ends at this moment (proc_fd_access_allowed()).
Result<Found> scan_process(int folder) {
  auto found = scan_threads(folder);
  if (!found && found.error().code == ErrorCode::not_permitted) return Found{};
  return found;
}

Result<std::optional<Holder>> describe(int folder, pid_t pid) {
  SOCKSWAP_TRY(const auto stat, read_stat(folder));
  if (!stat) return std::nullopt;
  struct stat owner {};
  if (::fstat(folder, &owner) != 0) return proc_failure(errno, fmt::format("stat /proc/{}", pid));
  Holder holder;
  holder.pid = pid;
  holder.start_time = stat->start_time;
  holder.uid = owner.st_uid;
  holder.command = stat->command;
  return holder;
}

template <class Visit>
Result<> for_each_process(pid_t except, Visit visit) {
  SOCKSWAP_TRY(const Fd proc, open_folder(AT_FDCWD, "/proc"));
  if (!proc) return failure(ErrorCode::unsupported, "there is no /proc here");
  SOCKSWAP_TRY(const auto pids, read_numbers(proc.get()));
  for (const pid_t pid : pids) {
    if (pid == except) continue;
    SOCKSWAP_TRY(const Fd folder, open_process(pid));
    if (folder) SOCKSWAP_CHECK(visit(pid, folder.get()));
  }
  return {};
}

// Adds who holds the sockets that are `wanted`.
template <class Wanted>
Result<> search(pid_t except, Wanted wanted, Holders& holders) {
  const pid_t newest = newest_pid();
  return for_each_process(except, [&](pid_t pid, int folder) -> Result<> {
    SOCKSWAP_TRY(Found found, scan_process(folder));
    std::erase_if(found, [&](const auto& socket) { return !wanted(socket.first); });
    if (found.empty()) return {};
    SOCKSWAP_TRY(const auto holder, describe(folder, pid));
    if (!holder) return {};
    for (auto& [inode, descriptors] : found) {
      Holder& entry = holders[inode].emplace_back(*holder);
      entry.descriptors = std::move(descriptors);
      entry.newest_pid = newest;
    }
    return {};
  });
}

}  // namespace

Result<std::optional<Holder>> holder_among(pid_t pid, std::span<const std::uint32_t> inodes) {
  SOCKSWAP_TRY(const Fd folder, open_process(pid));
  if (!folder) return std::nullopt;
  SOCKSWAP_TRY(const Found found, scan_process(folder.get()));
  std::vector<int> descriptors;
  for (const auto& [inode, numbers] : found)
    if (std::find(inodes.begin(), inodes.end(), inode) != inodes.end())
      descriptors.insert(descriptors.end(), numbers.begin(), numbers.end());
  if (descriptors.empty()) return std::nullopt;
  SOCKSWAP_TRY(auto holder, describe(folder.get(), pid));
  if (holder) holder->descriptors = std::move(descriptors);
  return holder;
}

Result<Holders> find_holders(std::span<const std::uint32_t> inodes, pid_t except) {
  Holders holders;
  for (const std::uint32_t inode : inodes) holders[inode];
  SOCKSWAP_CHECK(search(
      except, [&](std::uint32_t inode) { return holders.contains(inode); }, holders));
  return holders;
}

Result<std::vector<Holder>> find_holders(std::uint32_t inode, pid_t except) {
  SOCKSWAP_TRY(Holders holders, find_holders(std::span(&inode, 1), except));
  return std::move(holders[inode]);
}

Result<Holders> all_holders() {
  Holders holders;
  SOCKSWAP_CHECK(search(
      0, [](std::uint32_t) { return true; }, holders));
  return holders;
}

}  // namespace sockswap::process
