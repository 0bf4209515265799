#include "lab/guest/agent.h"

#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <ctime>
#include <vector>

#include "lab/guest/words.h"

namespace sockswap::lab::guest {
namespace {

using Json = nlohmann::json;

Fd watch_children() {
  sigset_t children;
  ::sigemptyset(&children);
  ::sigaddset(&children, SIGCHLD);
  ::sigprocmask(SIG_BLOCK, &children, nullptr);
  return Fd(::signalfd(-1, &children, SFD_CLOEXEC | SFD_NONBLOCK));
}

}  // namespace

void Agent::serve() {
  const Fd children = watch_children();
  for (;;) {
    std::vector<pollfd> watched{{.fd = listener_.get(), .events = POLLIN, .revents = 0},
                                {.fd = children.get(), .events = POLLIN, .revents = 0}};
    for (const Call& call : calls_)
      watched.push_back({.fd = call.socket.get(), .events = POLLIN, .revents = 0});
    if (::poll(watched.data(), watched.size(), -1) <= 0) continue;
    auto at = watched.begin() + 2;
    for (auto call = calls_.begin(); call != calls_.end(); ++at)
      call = at->revents == 0 || hear(*call) ? std::next(call) : calls_.erase(call);
    if (watched[1].revents != 0) {
      signalfd_siginfo ignored;
      while (::read(children.get(), &ignored, sizeof ignored) > 0) {
      }
      tell_ends();
    }
    if (watched[0].revents != 0)
      if (Fd socket(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC)); socket)
        calls_.push_back({.socket = std::move(socket), .unread = {}, .program = {}});
  }
}

bool Agent::hear(Call& call) {
  std::array<char, 65536> buffer;
  const ssize_t got = ::recv(call.socket.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
  if (got <= 0) return got < 0 && (errno == EAGAIN || errno == EINTR);
  call.unread.append(buffer.data(), static_cast<std::size_t>(got));
  while (const auto words = take_line(call.unread))
    if (!words->is_object() || !obey(call, *words)) return false;
  return true;
}

bool Agent::obey(Call& call, const Json& words) {
  if (words.contains("signal") && call.program) {
    (void)call.program->kill(words["signal"].get<int>());
    return true;
  }
  if (words.contains("stream")) {
    streams_.insert_or_assign(words["stream"].get<std::string>(), std::move(call.socket));
    return false;
  }
  if (words.contains("clock")) {
    timespec now{};
    ::clock_gettime(CLOCK_MONOTONIC, &now);
    (void)say(call.socket, {{"ns", now.tv_sec * 1'000'000'000LL + now.tv_nsec}});
  }
  if (words.contains("run")) run(call, words);
  return true;
}

Result<Stdio> Agent::stream(const Json& words) {
  const auto kind = words.at("kind").get<std::string>();
  if (kind == "null") return Stdio::null();
  if (kind == "file") return Stdio::file(words.at("path").get<std::string>());
  if (kind == "console") return Stdio::inherit();
  const auto found = streams_.find(words.at("name").get<std::string>());
  if (found == streams_.end()) return system_failure(ENOTCONN, "take a stream");
  return Stdio::descriptor(found->second.get());
}

void Agent::run(Call& call, const Json& words) {
  Command command{.argv = words.at("run").get<std::vector<std::string>>(),
                  .env = words.at("env").get<std::vector<std::string>>(),
                  .cwd = words.at("cwd").get<std::string>()};
  if (const Json& user = words.at("user"); !user.is_null())
    command.user = User{user.at(0).get<uid_t>(), user.at(1).get<gid_t>()};
  const auto start = [&]() -> Result<Process> {
    SOCKSWAP_TRY(command.in, stream(words.at("streams").at(0)));
    SOCKSWAP_TRY(command.out, stream(words.at("streams").at(1)));
    SOCKSWAP_TRY(command.err, stream(words.at("streams").at(2)));
    return Process::spawn(command);
  };
  auto started = start();
  // The program has them now, or nobody shall.
  for (const Json& each : words.at("streams"))
    if (each.contains("name")) streams_.erase(each["name"].get<std::string>());
  if (!started) {
    (void)say(call.socket, {{"error", started.error().sys_errno}});
    return;
  }
  call.program = *std::move(started);
  (void)say(call.socket, {{"pid", call.program->pid()}});
}

// Of the programs here; what they left behind is PID 1's to reap, too.
void Agent::tell_ends() {
  for (;;) {
    siginfo_t ended{};
    if (::waitid(P_ALL, 0, &ended, WEXITED | WNOHANG | WNOWAIT) != 0 || ended.si_pid == 0) return;
    const auto call = std::find_if(calls_.begin(), calls_.end(), [&](const Call& each) {
      return each.program && each.program->pid() == ended.si_pid;
    });
    if (call == calls_.end()) {
      ::waitpid(ended.si_pid, nullptr, 0);
      continue;
    }
    if (const auto status = call->program->wait(); status)
      (void)say(call->socket, {{"code", status->code}, {"signal", status->signal}});
    calls_.erase(call);
  }
}

}  // namespace sockswap::lab::guest
