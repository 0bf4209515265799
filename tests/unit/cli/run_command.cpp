#include "run_command.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <pty.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <system_error>

#include "base/fd.h"

namespace sockswap::cli {
namespace {

struct Channel {
  Fd ours;
  Fd childs;
};

[[noreturn]] void give_up(const char* what) { throw std::system_error(errno, std::generic_category(), what); }

Channel open_channel(Surroundings::Stream stream) {
  int ends[2];
  if (stream == Surroundings::Stream::pipe) {
    if (::pipe2(ends, O_CLOEXEC) != 0) give_up("pipe2");
    return {Fd(ends[0]), Fd(ends[1])};
  }
  if (::openpty(&ends[0], &ends[1], nullptr, nullptr, nullptr) != 0) give_up("openpty");
  for (const int end : ends) ::fcntl(end, F_SETFD, FD_CLOEXEC);
  return {Fd(ends[0]), Fd(ends[1])};
}

// A terminal whose other side has been closed says EIO where a pipe says end of file.
bool read_some(Fd& from, std::string& to) {
  std::array<char, 4096> buffer;
  const ssize_t size = ::read(from.get(), buffer.data(), buffer.size());
  if (size <= 0) return false;
  to.append(buffer.data(), static_cast<std::size_t>(size));
  return true;
}

void read_both(Fd& out, Fd& err, Ran& ran) {
  while (out || err) {
    pollfd wait[] = {{out.get(), POLLIN, 0}, {err.get(), POLLIN, 0}};
    ::poll(wait, 2, -1);
    if (wait[0].revents != 0 && !read_some(out, ran.out)) out.reset();
    if (wait[1].revents != 0 && !read_some(err, ran.err)) err.reset();
  }
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> out;
  for (std::string& text : texts) out.push_back(text.data());
  out.push_back(nullptr);
  return out;
}

}  // namespace

Ran run_command(std::vector<std::string> arguments, const Surroundings& surroundings) {
  arguments.insert(arguments.begin(), SOCKSWAP_COMMAND);
  std::vector<std::string> environment = surroundings.environment;
  environment.insert(environment.end(), {"TERM=xterm", "TZ=UTC"});
  for (const char* name : {"ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS"})  // tests/watch/watched
    if (const char* options = std::getenv(name)) environment.push_back(std::string(name) + "=" + options);
  if (!surroundings.control.empty()) environment.push_back("SOCKSWAP_CONTROL=" + surroundings.control);
  const auto argv = pointers(arguments);
  const auto envp = pointers(environment);

  Channel out = open_channel(surroundings.out);
  Channel err = open_channel(surroundings.err);
  if (!surroundings.out_file.empty())
    out.childs.reset(::open(surroundings.out_file.c_str(), O_WRONLY | O_CLOEXEC));
  const pid_t child = ::fork();
  if (child < 0) give_up("fork");
  if (child == 0) {
    ::dup2(out.childs.get(), STDOUT_FILENO);
    ::dup2(err.childs.get(), STDERR_FILENO);
    constexpr uid_t nobody = 65534;
    if (surroundings.unprivileged && ::geteuid() == 0 && ::setuid(nobody) != 0) ::_exit(127);
    ::execve(argv[0], argv.data(), envp.data());
    ::_exit(127);
  }
  out.childs.reset();
  err.childs.reset();
  Ran ran;
  read_both(out.ours, err.ours, ran);
  int status = 0;
  ::waitpid(child, &status, 0);
  ran.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return ran;
}

Ran ask(const std::string& control, std::vector<std::string> arguments) {
  return run_command(std::move(arguments), {.control = control});
}

Json Ran::json() const {
  EXPECT_EQ(std::ranges::count(out, '\n'), 1) << out;
  Json parsed = Json::parse(out, nullptr, false);
  EXPECT_FALSE(parsed.is_discarded()) << out;
  return parsed;
}

}  // namespace sockswap::cli
