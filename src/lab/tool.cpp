#include "lab/tool.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <thread>

#include "lab/process.h"

namespace sockswap::lab {
namespace {

constexpr std::chrono::milliseconds kBetweenLooks{2};

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.remove_suffix(1);
  return text;
}

}  // namespace

Result<std::string> run_tool(NamespaceThread& where, std::vector<std::string> argv, std::string_view input) {
  const std::string asked = fmt::format("{}", fmt::join(argv, " "));
  const Command command{.argv = std::move(argv),
                        // A login shell without the administrator's folders must do.
                        .env = {"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C"},
                        .in = Stdio::pipe(),
                        .out = Stdio::pipe(),
                        .err = Stdio::pipe(),
                        .user = {},
                        .cwd = "/"};
  auto started = where.run([&] { return Process::spawn(command); });
  if (!started) {
    if (started.error().code == ErrorCode::not_found)
      started.error().hint = "the lab needs iproute2 and nftables: apt-get install iproute2 nftables";
    return failure(std::move(started.error()));
  }
  if (!input.empty()) SOCKSWAP_CHECK(started->write(input));
  SOCKSWAP_TRY(Output output, started->finish());
  if (!output.status.ok())
    return failure(ErrorCode::internal,
                   fmt::format("{}: {} ({})", asked, trimmed(output.err), output.status.text()));
  return std::move(output.out);
}

Result<> wait_until_operational(NamespaceThread& where, const std::string& device) {
  const auto until = std::chrono::steady_clock::now() + kPatience;
  for (;;) {
    SOCKSWAP_TRY(const std::string state, run_tool(where, {"ip", "-oneline", "link", "show", "dev", device}));
    if (state.find(" state UP ") != std::string::npos) return {};
    if (std::chrono::steady_clock::now() > until)
      return failure(ErrorCode::timed_out, "the kernel doesn't activate " + device,
                     "is the machine overloaded?");
    std::this_thread::sleep_for(kBetweenLooks);
  }
}

Result<> set_sysctl(NamespaceThread& where, const std::string& key, std::string_view value) {
  return where.run([&]() -> Result<> {
    const Fd file(::open(("/proc/sys/" + key).c_str(), O_WRONLY | O_CLOEXEC));
    if (!file || ::write(file.get(), value.data(), value.size()) < 0)
      return system_failure(errno, fmt::format("set {} to {}", key, value));
    return {};
  });
}

}  // namespace sockswap::lab
