#include "process/holders.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstring>

#include "process/holder_scan.h"
#include "process/proc.h"

namespace sockswap::process {
namespace {

// readlink, not stat: the latter would ask the file's own file system, which may hang.
std::optional<std::uint32_t> socket_inode(int fd_folder, int descriptor) {
  char name[16];
  *std::to_chars(name, name + sizeof name - 1, descriptor).ptr = '\0';
  char target[32];
  const ssize_t size = ::readlinkat(fd_folder, name, target, sizeof target);
  constexpr std::size_t prefix = sizeof "socket:[" - 1;
  if (size <= static_cast<ssize_t>(prefix) || std::memcmp(target, "socket:[", prefix) != 0)
    return std::nullopt;
  std::uint32_t inode = 0;
  const auto parsed = std::from_chars(target + prefix, target + size, inode);
  if (parsed.ec != std::errc{} || *parsed.ptr != ']') return std::nullopt;
  return inode;
}

using Found = std::map<std::uint32_t, std::vector<int>>;

void scan_table(int folder, Found& found, bool& any) {
  const Fd table = open_folder(folder, "fd");
  if (!table) return;
  Numbers numbers(table.get());
  while (const auto descriptor = numbers.next()) {
    any = true;
    if (const auto inode = socket_inode(table.get(), *descriptor)) found[*inode].push_back(*descriptor);
  }
}

// Once its first thread has ended, a process shows its descriptors only under its other threads.
Found scan_process(int folder) {
  Found found;
  bool any = false;
  scan_table(folder, found, any);
  if (any) return found;
  const Fd tasks = open_folder(folder, "task");
  if (!tasks) return found;
  Numbers numbers(tasks.get());
  while (const auto tid = numbers.next()) {
    if (const Fd task = open_folder(tasks.get(), fmt::format("{}", *tid).c_str()))
      scan_table(task.get(), found, any);
    if (any) break;
  }
  return found;
}

std::optional<Holder> describe(int folder, pid_t pid) {
  const auto stat = read_stat(folder);
  if (!stat) return std::nullopt;
  struct stat owner {};
  if (::fstat(folder, &owner) != 0) return std::nullopt;
  Holder holder;
  holder.pid = pid;
  holder.start_time = stat->start_time;
  holder.uid = owner.st_uid;
  holder.command = stat->command;
  return holder;
}

template <class Visit>
Result<> for_each_process(pid_t except, Visit visit) {
  const Fd proc = open_folder(AT_FDCWD, "/proc");
  if (!proc) return system_failure(errno, "open /proc");
  Numbers pids(proc.get());
  while (const auto pid = pids.next()) {
    if (*pid == except) continue;
    if (const Fd folder = open_process(*pid)) visit(*pid, folder.get());
  }
  return {};
}

}  // namespace

std::optional<Holder> holder_among(pid_t pid, std::span<const std::uint32_t> inodes) {
  const Fd folder = open_process(pid);
  if (!folder) return std::nullopt;
  std::vector<int> descriptors;
  for (auto& [inode, numbers] : scan_process(folder.get()))
    if (std::find(inodes.begin(), inodes.end(), inode) != inodes.end())
      descriptors.insert(descriptors.end(), numbers.begin(), numbers.end());
  if (descriptors.empty()) return std::nullopt;
  auto holder = describe(folder.get(), pid);
  if (holder) holder->descriptors = std::move(descriptors);
  return holder;
}

Result<std::vector<Holder>> find_holders(std::uint32_t inode, pid_t except) {
  const pid_t newest = newest_pid();
  std::vector<Holder> holders;
  SOCKSWAP_CHECK(for_each_process(except, [&](pid_t pid, int folder) {
    Found found = scan_process(folder);
    const auto hit = found.find(inode);
    if (hit == found.end()) return;
    auto holder = describe(folder, pid);
    if (!holder) return;
    holder->descriptors = std::move(hit->second);
    holder->newest_pid = newest;
    holders.push_back(std::move(*holder));
  }));
  return holders;
}

Result<std::map<std::uint32_t, std::vector<Holder>>> all_holders() {
  const pid_t newest = newest_pid();
  std::map<std::uint32_t, std::vector<Holder>> holders;
  SOCKSWAP_CHECK(for_each_process(0, [&](pid_t pid, int folder) {
    Found found = scan_process(folder);
    if (found.empty()) return;
    const auto holder = describe(folder, pid);
    if (!holder) return;
    for (auto& [inode, descriptors] : found) {
      Holder& entry = holders[inode].emplace_back(*holder);
      entry.descriptors = std::move(descriptors);
      entry.newest_pid = newest;
    }
  }));
  return holders;
}

}  // namespace sockswap::process
