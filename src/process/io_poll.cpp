#include "process/io_poll.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <string_view>

#include "process/proc.h"

namespace sockswap::process {
namespace {

constexpr std::string_view kRing = "anon_inode:[io_uring]";

// A line for each waiting request follows "PollList:"; IORING_OP_POLL_ADD is 6.
constexpr std::string_view kPollRequest = "\n  op=6, task_works";

Result<bool> is_ring(int fd_folder, int descriptor) {
  char buffer[32];
  SOCKSWAP_TRY(const std::string_view target, read_link(fd_folder, descriptor, buffer));
  return target == kRing;
}

// Longer than what read_file() reads. "" if the descriptor or its process is gone.
Result<std::string> read_details(int fdinfo, int descriptor) {
  const Fd file(::openat(fdinfo, fmt::format("{}", descriptor).c_str(), O_RDONLY | O_CLOEXEC));
  std::string text;
  char part[4096];
  ssize_t size = -1;
  while (file && (size = ::read(file.get(), part, sizeof part)) > 0)
    text.append(part, static_cast<std::size_t>(size));
  if (size == 0) return text;
  if (means_gone(errno)) return std::string{};
  return proc_failure(errno, "read the details of a descriptor");
}

}  // namespace

Result<> check_no_poll_requests(int folder, const std::string& owner) {
  SOCKSWAP_TRY(const Fd table, open_folder(folder, "fd"));
  if (!table) return {};
  SOCKSWAP_TRY(const auto descriptors, read_numbers(table.get()));
  for (const int descriptor : descriptors) {
    SOCKSWAP_TRY(const bool ring, is_ring(table.get(), descriptor));
    if (!ring) continue;
    SOCKSWAP_TRY(const Fd fdinfo, open_folder(folder, "fdinfo"));
    if (!fdinfo) return {};
    SOCKSWAP_TRY(const std::string details, read_details(fdinfo.get(), descriptor));
    if (details.find(kPollRequest) != std::string::npos)
      return failure(ErrorCode::not_movable,
                     owner + " polls through io_uring (IORING_OP_POLL_ADD) and would be told of an error");
  }
  return {};
}

}  // namespace sockswap::process
