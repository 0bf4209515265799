#include "cli/output/output.h"

#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "cli/output/printable.h"

namespace sockswap::cli {

Result<> Output::write(std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(STDOUT_FILENO, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return system_failure(errno, "cannot write to standard output");
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  return {};
}

void report(const Error& error) {
  remark(error.text());
  if (!error.hint.empty()) std::fputs(("hint: " + printable(error.hint) + '\n').c_str(), stderr);
}

// Not fmt::print, which throws if standard error is closed.
void remark(std::string_view text) { std::fputs(("sockswap: " + printable(text) + '\n').c_str(), stderr); }

}  // namespace sockswap::cli
