#include "process/proc.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <charconv>
#include <string_view>

namespace sockswap::process {
namespace {

template <class Number>
std::optional<Number> number(std::string_view text) {
  Number value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end == text.data()) return std::nullopt;
  return value;
}

}  // namespace

Fd open_folder(int at, const char* name) {
  return Fd(::openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
}

Fd open_process(pid_t pid) { return open_folder(AT_FDCWD, fmt::format("/proc/{}", pid).c_str()); }

std::optional<std::string> read_file(int folder, const char* name) {
  const Fd file(::openat(folder, name, O_RDONLY | O_CLOEXEC));
  if (!file) return std::nullopt;
  char text[4096];
  const ssize_t size = ::read(file.get(), text, sizeof text);
  if (size < 0) return std::nullopt;
  return std::string(text, static_cast<std::size_t>(size));
}

std::optional<Stat> read_stat(int folder) {
  const auto text = read_file(folder, "stat");
  if (!text) return std::nullopt;
  // "PID (command) state …": the command may itself hold spaces and brackets.
  const std::size_t open = text->find('('), close = text->rfind(')');
  if (open == std::string::npos || close == std::string::npos) return std::nullopt;
  Stat stat;
  stat.command = text->substr(open + 1, close - open - 1);
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

std::optional<std::int64_t> read_status(int folder, const char* field) {
  const auto text = read_file(folder, "status");
  if (!text) return std::nullopt;
  const std::string key = fmt::format("\n{}:\t", field);
  const std::size_t at = text->find(key);
  if (at == std::string::npos) return std::nullopt;
  return number<std::int64_t>(std::string_view(*text).substr(at + key.size()));
}

pid_t newest_pid() {
  const auto text = read_file(AT_FDCWD, "/proc/loadavg");
  if (!text) return 0;
  return number<pid_t>(std::string_view(*text).substr(text->rfind(' ') + 1)).value_or(0);
}

Numbers::Numbers(int folder) : folder_(folder) { ::lseek(folder_, 0, SEEK_SET); }

std::optional<int> Numbers::next() {
  for (;;) {
    if (at_ >= end_) {
      at_ = 0;
      end_ = static_cast<int>(::getdents64(folder_, buffer_, sizeof buffer_));
      if (end_ <= 0) return std::nullopt;
    }
    const auto* entry = reinterpret_cast<const dirent64*>(buffer_ + at_);
    at_ += entry->d_reclen;
    if (const auto value = number<int>(entry->d_name)) return value;
  }
}

}  // namespace sockswap::process
