#include "process/holders.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <string_view>
#include <unordered_set>

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

// Adds who holds the sockets that are `wanted`.
template <class Wanted>
class Search {
 public:
  Search(pid_t except, Wanted wanted, Holders& holders)
      : except_(except), wanted_(wanted), holders_(holders) {}

  // Lists /proc once more when all have been looked at: who was in the midst of a fork at first has a
  // number up to newest_pid_, so a pause wouldn't look at it again.
  Result<> run() {
    SOCKSWAP_TRY(const Fd proc, open_folder(AT_FDCWD, "/proc"));
    if (!proc) return failure(ErrorCode::unsupported, "there is no /proc here");
    std::unordered_set<pid_t> seen{except_};
    for (int listing = 0; listing < 2; ++listing) {
      SOCKSWAP_TRY(const auto pids, read_numbers(proc.get()));
      for (const pid_t pid : pids)
        if (seen.insert(pid).second) SOCKSWAP_CHECK(visit(pid));
    }
    return {};
  }

 private:
  Result<> visit(pid_t pid) {
    SOCKSWAP_TRY(const Fd folder, open_process(pid));
    if (!folder) return {};
    SOCKSWAP_TRY(Found found, scan_process(folder.get()));
    std::erase_if(found, [&](const auto& socket) { return !wanted_(socket.first); });
    if (found.empty()) return {};
    SOCKSWAP_TRY(auto holder, describe(folder.get(), pid));
    if (!holder) return {};
    holder->newest_pid = newest_;
    holder->searched = began_;
    for (auto& [inode, descriptors] : found)
      holders_[inode].emplace_back(*holder).descriptors = std::move(descriptors);
    return {};
  }

  const std::chrono::steady_clock::time_point began_ = std::chrono::steady_clock::now();
  const pid_t newest_ = newest_pid();
  pid_t except_;
  Wanted wanted_;
  Holders& holders_;
};

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
  const auto wanted = [&](std::uint32_t inode) { return holders.contains(inode); };
  SOCKSWAP_CHECK(Search(except, wanted, holders).run());
  return holders;
}

Result<std::vector<Holder>> find_holders(std::uint32_t inode, pid_t except) {
  SOCKSWAP_TRY(Holders holders, find_holders(std::span(&inode, 1), except));
  return std::move(holders[inode]);
}

bool is_fresh(std::span<const Holder> holders, std::chrono::steady_clock::time_point now) {
  return std::all_of(holders.begin(), holders.end(),
                     [&](const Holder& holder) { return now - holder.searched <= kMaxAge; });
}

Result<Holders> all_holders() {
  Holders holders;
  const auto wanted = [](std::uint32_t) { return true; };
  SOCKSWAP_CHECK(Search(0, wanted, holders).run());
  return holders;
}

}  // namespace sockswap::process
