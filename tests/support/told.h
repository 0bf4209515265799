// The standard input and output of a test's program that is told by lines what to do.
#pragma once

#include <poll.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string>

namespace sockswap::test {

[[noreturn]] inline void say_last(const std::string& line) {
  std::puts(line.c_str());
  std::exit(0);
}

// A line from standard input, if one comes within the time; its end ends the program.
inline std::optional<std::string> told(int wait_ms = 0) {
  static std::string begun;
  pollfd wait{STDIN_FILENO, POLLIN, 0};
  if (begun.find('\n') == std::string::npos && ::poll(&wait, 1, wait_ms) == 1) {
    char piece[256];
    const ssize_t got = ::read(STDIN_FILENO, piece, sizeof piece);
    if (got <= 0) std::exit(0);
    begun.append(piece, static_cast<std::size_t>(got));
  }
  const auto end = begun.find('\n');
  if (end == std::string::npos) return std::nullopt;
  std::string line = begun.substr(0, end);
  begun.erase(0, end + 1);
  return line;
}

}  // namespace sockswap::test
