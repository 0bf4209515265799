#include <fcntl.h>
#include <fmt/format.h>
#include <grp.h>
#include <linux/close_range.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>

#include "lab/process.h"

namespace sockswap::lab {
namespace {

struct Stream {
  Fd theirs;
  Fd ours;
};

// Numbers of 3 and above, so that placing one stream never overwrites the source of another.
Fd lifted(int fd) {
  const Fd low(fd);
  return Fd(::fcntl(low.get(), F_DUPFD_CLOEXEC, 3));
}

Result<Stream> open_stream(const Stdio& stdio, int number) {
  const bool input = number == STDIN_FILENO;
  Stream stream;
  switch (stdio.kind) {
    case Stdio::Kind::inherit: stream.theirs = Fd(::fcntl(number, F_DUPFD_CLOEXEC, 3)); break;
    case Stdio::Kind::null: stream.theirs = lifted(::open("/dev/null", O_RDWR | O_CLOEXEC)); break;
    case Stdio::Kind::descriptor: stream.theirs = Fd(::fcntl(stdio.fd, F_DUPFD_CLOEXEC, 3)); break;
    case Stdio::Kind::file:
      stream.theirs = lifted(
          ::open(stdio.path.c_str(), (input ? O_RDONLY : O_WRONLY | O_CREAT | O_APPEND) | O_CLOEXEC, 0644));
      break;
    case Stdio::Kind::pipe: {
      std::array<int, 2> ends{};
      if (::pipe2(ends.data(), O_CLOEXEC) != 0) break;
      Fd reading = lifted(ends[0]);
      Fd writing = lifted(ends[1]);
      stream.theirs = std::move(input ? reading : writing);
      stream.ours = std::move(input ? writing : reading);
      ::fcntl(stream.ours.get(), F_SETFL, O_NONBLOCK);
    }
  }
  if (!stream.theirs)
    return system_failure(
        errno, fmt::format("open {} for a program", stdio.path.empty() ? "a standard stream" : stdio.path));
  return stream;
}

// All that the child needs, made before the fork: between fork and exec it may not allocate.
struct Prepared {
  std::vector<char*> argv;
  std::vector<char*> env;
  std::array<int, 3> streams;
  const Command* command;
  int report;
};

char* mutable_text(const std::string& text) { return const_cast<char*>(text.c_str()); }

Prepared prepare(const Command& command, const std::array<Stream, 3>& streams, int report) {
  Prepared prepared{.argv = {}, .env = {}, .streams = {}, .command = &command, .report = report};
  for (const std::string& word : command.argv) prepared.argv.push_back(mutable_text(word));
  prepared.argv.push_back(nullptr);
  for (const std::string& setting : command.env) prepared.env.push_back(mutable_text(setting));
  for (char** at = environ; *at != nullptr; ++at) {
    const std::string_view inherited(*at);
    const std::string_view key = inherited.substr(0, inherited.find('=') + 1);
    bool overridden = false;
    for (const std::string& setting : command.env) overridden |= setting.starts_with(key);
    if (!overridden) prepared.env.push_back(*at);
  }
  prepared.env.push_back(nullptr);
  for (std::size_t i = 0; i < 3; ++i) prepared.streams[i] = streams[i].theirs.get();
  return prepared;
}

bool take_user(const User& user) {
  return ::setgroups(0, nullptr) == 0 && ::setresgid(user.gid, user.gid, user.gid) == 0 &&
         ::setresuid(user.uid, user.uid, user.uid) == 0;
}

[[noreturn]] void become(const Prepared& prepared) {
  for (int signal = 1; signal < NSIG; ++signal) ::signal(signal, SIG_DFL);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  for (int number = 0; number < 3; ++number)
    ::dup2(prepared.streams[static_cast<std::size_t>(number)], number);
  ::setsid();
  const Command& command = *prepared.command;
  if (::close_range(3, ~0U, CLOSE_RANGE_CLOEXEC) == 0 && ::chdir(command.cwd.c_str()) == 0 &&
      (!command.user || take_user(*command.user))) {
    environ = const_cast<char**>(prepared.env.data());  // so that the search uses the command's own PATH
    ::execvp(prepared.argv[0], prepared.argv.data());
  }
  const int error = errno;
  (void)!::write(prepared.report, &error, sizeof error);
  ::_exit(127);
}

}  // namespace

Result<Process> Process::spawn(const Command& command) {
  if (command.argv.empty()) return failure(ErrorCode::usage, "an empty command can't be started");
  std::array<Stream, 3> streams;
  SOCKSWAP_TRY(streams[0], open_stream(command.in, STDIN_FILENO));
  SOCKSWAP_TRY(streams[1], open_stream(command.out, STDOUT_FILENO));
  SOCKSWAP_TRY(streams[2], open_stream(command.err, STDERR_FILENO));
  SOCKSWAP_TRY(Stream report, open_stream(Stdio::pipe(), STDOUT_FILENO));
  ::fcntl(report.ours.get(), F_SETFL, 0);
  const Prepared prepared = prepare(command, streams, report.theirs.get());

  const pid_t pid = ::fork();
  if (pid < 0) return system_failure(errno, "start " + command.argv[0], ErrorCode::no_resources);
  if (pid == 0) become(prepared);
  // Not reaped yet, so the number is still this child's.
  Fd pidfd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  if (!pidfd) {
    const int error = errno;
    ::kill(pid, SIGKILL);
    ::waitpid(pid, nullptr, 0);
    return system_failure(error, "open a pidfd of " + command.argv[0], ErrorCode::no_resources);
  }
  auto child = std::make_shared<OwnChild>(pid, std::move(pidfd));
  report.theirs.reset();
  int error = 0;
  if (::read(report.ours.get(), &error, sizeof error) > 0)  // ended by exec() otherwise
    return system_failure(error, "start " + command.argv[0],
                          error == ENOENT ? ErrorCode::not_found : ErrorCode::internal);
  return Process(std::move(child), std::move(streams[0].ours), std::move(streams[1].ours),
                 std::move(streams[2].ours), command.argv[0]);
}

}  // namespace sockswap::lab
