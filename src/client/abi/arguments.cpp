#include "client/abi/arguments.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string_view>
#include <vector>

namespace sockswap::client {
namespace {

constexpr std::size_t largest_struct = 4096;  // beyond it a size is garbage, not a newer version
constexpr std::size_t longest_name = 64;

bool is_name_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' ||
         c == '-';
}

}  // namespace

Result<> check_struct(const void* given, std::size_t given_size, std::size_t known_size) {
  if (given_size < sizeof(std::size_t) || given_size > largest_struct)
    return failure(ErrorCode::usage, fmt::format("a struct of size {}", given_size),
                   "set its first field to sizeof of the struct");
  const auto* bytes = static_cast<const std::byte*>(given);
  for (std::size_t i = known_size; i < given_size; ++i)
    if (bytes[i] != std::byte{0})
      return failure(ErrorCode::usage, "an option that this version of libsockswap doesn't know",
                     "the program was built for a newer libsockswap");
  return {};
}

Result<> check_sockets(const int* fds, std::size_t count) {
  if (fds == nullptr || count == 0) return failure(ErrorCode::usage, "no descriptors were given");
  for (std::size_t i = 0; i < count; ++i) {
    struct stat what {};
    if (::fstat(fds[i], &what) != 0)
      return failure({.code = ErrorCode::usage,
                      .message = fmt::format("descriptor {} (index {})", fds[i], i),
                      .hint = {},
                      .sys_errno = errno});
    if (!S_ISSOCK(what.st_mode))
      return failure(ErrorCode::usage, fmt::format("descriptor {} (index {}) is not a socket", fds[i], i));
  }
  std::vector<int> sorted(fds, fds + count);
  std::ranges::sort(sorted);
  const auto twice = std::ranges::adjacent_find(sorted);
  if (twice != sorted.end())
    return failure(ErrorCode::usage, fmt::format("descriptor {} was given twice", *twice));
  return {};
}

Result<> check_name(const char* name, const char* what) {
  const std::string_view text = name != nullptr ? name : "";
  if (!text.empty() && text.size() <= longest_name && std::ranges::all_of(text, is_name_character)) return {};
  return failure(ErrorCode::usage, fmt::format("'{:.80}' is not a name for a {}", text, what),
                 "names have 1 to 64 of the characters A-Z a-z 0-9 . _ -");
}

// What a host may be called is the cluster's to say: the daemon knows them.
Result<> check_host(const char* host) {
  if (host != nullptr && *host != '\0') return {};
  return failure(ErrorCode::usage, "no host was given");
}

Result<ByteView> check_state(const void* state, std::size_t size) {
  if (state == nullptr && size != 0) return failure(ErrorCode::usage, "a state that is NULL but has a size");
  return ByteView(static_cast<const std::byte*>(state), size);
}

void close_all(std::span<const int> fds) {
  for (const int fd : fds) ::close(fd);
}

}  // namespace sockswap::client
