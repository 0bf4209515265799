// sockswap-lab enter HOST [-- COMMAND …]: a shell or a command on a host, with this terminal.
#include <fmt/format.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <memory>

#include "commands.h"
#include "lab/namespaces.h"
#include "lab/state_file.h"

namespace sockswap::lab {
namespace {

struct Asked {
  std::string lab = "lab";
  std::string host;
  std::vector<std::string> command;
};

Result<Fd> open_host(const Asked& asked) {
  SOCKSWAP_TRY(const LabState lab, StateFolder().load(asked.lab));
  const auto found = std::find_if(lab.hosts.begin(), lab.hosts.end(),
                                  [&](const HostState& host) { return host.name == asked.host; });
  if (found == lab.hosts.end())
    return failure(ErrorCode::unknown_host, fmt::format("lab {} has no host {}", lab.name, asked.host),
                   "\"sockswap-lab ls\" shows the hosts");
  Fd pidfd(static_cast<int>(::syscall(SYS_pidfd_open, found->init.pid, 0)));
  // The descriptor first: from then on the number can't become another process's unnoticed.
  if (!pidfd || !found->init.alive())
    return failure(ErrorCode::unreachable, fmt::format("host {} is switched off", asked.host));
  return pidfd;
}

[[noreturn]] void become(const std::vector<char*>& argv, const sigset_t& signals) {
  ::sigprocmask(SIG_SETMASK, &signals, nullptr);
  ::execvp(argv[0], argv.data());
  const int error = errno;
  fmt::print(stderr, "sockswap-lab: {}: {}\n", argv[0], std::strerror(error));
  ::_exit(error == ENOENT ? 127 : 126);  // as a shell says it
}

Result<int> enter(const Asked& asked) {
  SOCKSWAP_TRY(const Fd host, open_host(asked));
  std::vector<std::string> words = asked.command;
  if (words.empty()) {
    const char* shell = std::getenv("SHELL");
    words = {shell != nullptr ? shell : "/bin/sh"};
  }
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);

  // This process's own thread stays outside: only the program is to be the host's.
  std::error_code none;  // the folder may have been deleted: then it's the root folder
  const std::filesystem::path folder = std::filesystem::current_path(none);
  sigset_t signals;
  ::sigprocmask(SIG_BLOCK, nullptr, &signals);
  SOCKSWAP_TRY(const auto inside, NamespaceThread::start([&] { return join(host); }));
  const pid_t child = inside->run([&] {
    (void)!::chdir(folder.c_str());  // join() went to the root folder
    const pid_t pid = ::fork();
    if (pid == 0) become(argv, signals);
    return pid;
  });
  if (child < 0) return system_failure(errno, "start " + words[0], ErrorCode::no_resources);
  // Ctrl-C and the like are for the program; it is in our process group and gets them itself.
  for (const int signal : {SIGINT, SIGQUIT}) ::signal(signal, SIG_IGN);
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

}  // namespace

Verb add_enter(CLI::App& app) {
  const auto asked = std::make_shared<Asked>();
  app.add_option("--name", asked->lab, "Name of the lab")->capture_default_str();
  app.add_option("host", asked->host, "Host to enter")->required();
  app.add_option("command", asked->command, "Command with its arguments, after \"--\"; a shell otherwise");
  return [asked] { return enter(*asked); };
}

}  // namespace sockswap::lab
