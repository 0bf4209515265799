#include "process/proc.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <utility>

namespace sockswap::process {
namespace {

template <class Number>
std::optional<Number> number(std::string_view text) {
  Number value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end == text.data()) return std::nullopt;
  return value;
}

// A process may be called anything; error messages and protobuf take nothing but UTF-8.
std::string printable(std::string command) {
  for (char& c : command)
    if (c < ' ' || c > '~') c = '?';
  return command;
}

}  // namespace

bool means_gone(int sys_errno) { return sys_errno == ENOENT || sys_errno == ESRCH; }

tl::unexpected<Error> proc_failure(int sys_errno, std::string message) {
  switch (sys_errno) {
    case EMFILE:
    case ENFILE:
    case ENOMEM:
      return failure(Error{.code = ErrorCode::no_resources,
                           .message = std::move(message),
                           .hint = "nothing was changed; try again when less is going on, or raise the limit",
                           .sys_errno = sys_errno});
    case EACCES:
    case EPERM:
      return failure(Error{.code = ErrorCode::not_permitted,
                           .message = std::move(message),
                           .hint = "the daemon needs CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH",
                           .sys_errno = sys_errno});
    default: return system_failure(sys_errno, std::move(message));
  }
}

Result<Fd> open_folder(int at, const char* name) {
  Fd folder(::openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!folder && !means_gone(errno)) return proc_failure(errno, fmt::format("open {} in /proc", name));
  return folder;
}

Result<Fd> open_process(pid_t pid) { return open_folder(AT_FDCWD, fmt::format("/proc/{}", pid).c_str()); }

Result<std::optional<std::string>> read_file(int folder, const char* name) {
  const Fd file(::openat(folder, name, O_RDONLY | O_CLOEXEC));
  char text[4096];
  const ssize_t size = file ? ::read(file.get(), text, sizeof text) : -1;
  if (size >= 0) return std::string(text, static_cast<std::size_t>(size));
  if (means_gone(errno)) return std::nullopt;
  return proc_failure(errno, fmt::format("read {} in /proc", name));
}

Result<std::string_view> read_link(int fd_folder, int descriptor, std::span<char> buffer) {
  char name[16];
  *std::to_chars(name, name + sizeof name - 1, descriptor).ptr = '\0';
  const ssize_t size = ::readlinkat(fd_folder, name, buffer.data(), buffer.size());
  if (size >= 0) return std::string_view(buffer.data(), static_cast<std::size_t>(size));
  if (means_gone(errno)) return std::string_view{};
  return proc_failure(errno, "read which file a descriptor is");
}

Result<std::optional<Stat>> read_stat(int folder) {
  SOCKSWAP_TRY(const auto text, read_file(folder, "stat"));
  if (!text) return std::nullopt;
  // "PID (command) state …": the command may itself hold spaces and brackets.
  const std::size_t open = text->find('('), close = text->rfind(')');
  if (open == std::string::npos || close == std::string::npos) return std::nullopt;
  Stat stat;
  stat.command = printable(text->substr(open + 1, close - open - 1));
  std::string_view rest = std::string_view(*text).substr(close + 1);
  for (int field = 3; field <= 22; ++field) {
    rest.remove_prefix(std::min(rest.find_first_not_of(' '), rest.size()));
    const std::string_view word = rest.substr(0, rest.find(' '));
    if (word.empty()) return std::nullopt;
    if (field == 3) stat.state = word.front();
    if (field == 9) stat.flags = number<std::uint32_t>(word).value_or(0);
    if (field == 22) stat.start_time = number<std::uint64_t>(word).value_or(0);
    rest.remove_prefix(word.size());
  }
  return stat;
}

Result<bool> has_ended(pid_t tid) {
  SOCKSWAP_TRY(const Fd folder, open_process(tid));
  if (!folder) return true;
  SOCKSWAP_TRY(const auto stat, read_stat(folder.get()));
  return !stat || stat->ended();
}

Result<std::optional<std::int64_t>> read_status(int folder, const char* field) {
  SOCKSWAP_TRY(const auto text, read_file(folder, "status"));
  if (!text) return std::nullopt;
  const std::string key = fmt::format("\n{}:\t", field);
  const std::size_t at = text->find(key);
  if (at == std::string::npos) return std::nullopt;
  return number<std::int64_t>(std::string_view(*text).substr(at + key.size()));
}

Result<std::vector<int>> read_numbers(int folder) {
  std::vector<int> numbers;
  alignas(dirent64) char buffer[8192];
  ::lseek(folder, 0, SEEK_SET);
  for (;;) {
    const ssize_t size = ::getdents64(folder, buffer, sizeof buffer);
    if (size < 0 && !means_gone(errno)) return proc_failure(errno, "list a folder of /proc");
    if (size <= 0) return numbers;
    for (ssize_t at = 0; at < size;) {
      const auto* entry = reinterpret_cast<const dirent64*>(buffer + at);
      if (const auto value = number<int>(entry->d_name)) numbers.push_back(*value);
      at += entry->d_reclen;
    }
  }
}

pid_t newest_pid() {
  const auto text = read_file(AT_FDCWD, "/proc/loadavg");
  if (!text || !*text) return 0;
  return number<pid_t>(std::string_view(**text).substr((*text)->rfind(' ') + 1)).value_or(0);
}

Error traced_by(const std::string& who, pid_t tracer) {
  const auto folder = open_process(tracer);
  const auto owner = folder && *folder ? read_status(folder->get(), "Tgid") : std::nullopt;
  if (owner && *owner == ::getpid())
    return {ErrorCode::busy, who + " stands still for another move", "try again in a moment", 0};
  return {ErrorCode::busy, fmt::format("{} is traced by process {}", who, tracer),
          "detach the debugger first", 0};
}

}  // namespace sockswap::process
