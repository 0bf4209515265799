#include "keep/launch.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/close_range.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>

namespace sockswap::keep {
namespace {

constexpr int first_passed = 3;  // SD_LISTEN_FDS_START

bool answers(const sockaddr_un& address) {
  const Fd probe(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  return ::connect(probe.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
}

// In the grandchild. What it allocates, it may: there was one thread.
[[noreturn]] void become(const std::filesystem::path& program, const std::vector<std::string>& arguments,
                         int listener, int report) {
  std::vector<char*> argv{const_cast<char*>(program.c_str())};
  for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  ::setenv("LISTEN_FDS", "1", 1);
  ::setenv("LISTEN_PID", fmt::format("{}", ::getpid()).c_str(), 1);
  ::unsetenv("NOTIFY_SOCKET");  // that is the daemon's to answer to
  for (int signal = 1; signal < NSIG; ++signal) ::signal(signal, SIG_DFL);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  const int null = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  const int passed = ::fcntl(listener, F_DUPFD_CLOEXEC, first_passed + 1);
  const int reporting = ::fcntl(report, F_DUPFD_CLOEXEC, first_passed + 1);
  if (null >= 0 && passed >= 0 && reporting >= 0 && ::dup2(null, STDIN_FILENO) >= 0 &&
      ::close_range(first_passed, ~0U, CLOSE_RANGE_CLOEXEC) == 0 && ::dup2(passed, first_passed) >= 0 &&
      ::chdir("/") == 0)
    ::execv(program.c_str(), argv.data());
  const int error = errno;
  (void)!::write(reporting, &error, sizeof error);
  ::_exit(127);
}

}  // namespace

Result<Fd> listen_at(const std::filesystem::path& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.native().size() >= sizeof address.sun_path)
    return failure(ErrorCode::usage, fmt::format("{} is too long for a socket's path", path.string()),
                   fmt::format("at most {} bytes: choose another --run", sizeof address.sun_path - 1));
  path.native().copy(address.sun_path, sizeof address.sun_path - 1);
  if (::access(path.c_str(), F_OK) == 0) {
    if (answers(address))
      return failure(ErrorCode::busy, fmt::format("another keeper answers on {}", path.string()));
    ::unlink(path.c_str());
  }
  Fd listener(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  // Nobody can connect before listen(): so its mode is right before anybody can.
  if (!listener || ::bind(listener.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      ::chmod(path.c_str(), S_IRUSR | S_IWUSR) != 0 || ::listen(listener.get(), SOMAXCONN) != 0)
    return system_failure(errno, "listen on " + path.string());
  return listener;
}

Result<> start_keeper(const std::filesystem::path& program, const std::vector<std::string>& arguments,
                      const Fd& listener) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0)
    return system_failure(errno, "make a pipe", ErrorCode::no_resources);
  const Fd reading(ends[0]);
  Fd writing(ends[1]);
  const pid_t child = ::fork();
  if (child < 0) return system_failure(errno, "start the keeper", ErrorCode::no_resources);
  if (child == 0) {
    ::setsid();
    const pid_t grandchild = ::fork();
    if (grandchild == 0) become(program, arguments, listener.get(), writing.get());
    const int error = errno;
    if (grandchild < 0) (void)!::write(writing.get(), &error, sizeof error);
    ::_exit(0);
  }
  writing.reset();
  while (::waitpid(child, nullptr, 0) < 0 && errno == EINTR) continue;
  int error = 0;
  if (::read(reading.get(), &error, sizeof error) > 0)  // ended by exec() otherwise
    return system_failure(error, "start " + program.string(),
                          error == ENOENT ? ErrorCode::not_found : ErrorCode::internal);
  return {};
}

}  // namespace sockswap::keep
