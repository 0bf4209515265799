#include "process/io_poll.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <string_view>

#include "process/proc.h"

namespace sockswap::process {
namespace {

constexpr std::string_view kRing = "anon_inode:[io_uring]";

// A line for each waiting request follows "PollList:"; IORING_OP_POLL_ADD is 6.
constexpr std::string_view kPollRequest = "\n  op=6, task_works";

bool is_ring(int fd_folder, const std::string& descriptor) {
  char target[32];
  const ssize_t size = ::readlinkat(fd_folder, descriptor.c_str(), target, sizeof target);
  return size > 0 && std::string_view(target, static_cast<std::size_t>(size)) == kRing;
}

std::string read_all(int folder, const std::string& name) {
  const Fd file(::openat(folder, name.c_str(), O_RDONLY | O_CLOEXEC));
  std::string text;
  char part[4096];
  for (ssize_t size; file && (size = ::read(file.get(), part, sizeof part)) > 0;)
    text.append(part, static_cast<std::size_t>(size));
  return text;
}

}  // namespace

Result<> check_no_poll_requests(int folder, const std::string& owner) {
  const Fd table = open_folder(folder, "fd");
  if (!table) return {};
  Numbers numbers(table.get());
  while (const auto number = numbers.next()) {
    const std::string descriptor = fmt::format("{}", *number);
    if (!is_ring(table.get(), descriptor)) continue;
    const Fd details = open_folder(folder, "fdinfo");
    if (details && read_all(details.get(), descriptor).find(kPollRequest) != std::string::npos)
      return failure(ErrorCode::not_movable,
                     owner + " polls through io_uring (IORING_OP_POLL_ADD) and would be told of an error");
  }
  return {};
}

}  // namespace sockswap::process
