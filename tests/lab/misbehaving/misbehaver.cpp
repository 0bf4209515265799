// A program at an end of a connection that does, when it is told to by a line on standard input, what no
// program should do in the midst of a move. It streams and checks numbered bytes both ways, and says what it
// sees.
//
//   sockswap-test-misbehaver stay ADDRESS PORT
//       connects: "connected LOCAL_PORT"; knows nothing of sockswap. Its child does, as a shell's job: so
//       SIGTSTP stops it
//   sockswap-test-misbehaver move PORT HOST NAME STATE_BYTES
//       "listening", "connected"; told "go", moves its end to HOST's NAME: then "moved", "lost WHY", or
//       "undone WHY" and it streams on, and may be told "go" once more
//
// Either, at any time, also while the move is under way: "fork" (the child keeps the descriptor and sleeps),
// "dup" (and the old descriptor is closed), "copy" (and both are kept), "close", "exec" (itself, the
// descriptor being inherited: "resumed"), "vfork" (it stands still until its child ends, 2 s later; only
// `stay`), "end". What was done is said, such as "forked". "end SENT RECEIVED" and "broken WHAT" are the last
// words.
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <sockswap/sockswap.hpp>
#include <string>
#include <thread>

#include "base/endpoint.h"
#include "soak/numbered.h"
#include "support/told.h"

namespace {

using sockswap::soak::NumberedStream;
using sockswap::soak::Position;
using sockswap::test::say_last;
using sockswap::test::told;

constexpr double bytes_per_second = 1e6;
constexpr int look_every_ms = 10;
constexpr unsigned vfork_lasts_seconds = 2;

[[noreturn]] void exec_again(int fd, const Position& at) {
  ::fcntl(fd, F_SETFD, 0);
  const std::string number = std::to_string(fd), sent = std::to_string(at.sent),
                    received = std::to_string(at.received);
  ::execl("/proc/self/exe", "sockswap-test-misbehaver", "resume", number.c_str(), sent.c_str(),
          received.c_str(), static_cast<char*>(nullptr));
  say_last("broken exec");
}

void fork_a_sleeper() {
  const pid_t parent = ::getpid();
  if (::fork() != 0) return (void)std::puts("forked");
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(0);
  for (;;) ::pause();
}

// The parent is in uninterruptible sleep until the child has ended.
void vfork_a_sleeper() {
  std::puts("vforks");
  if (::vfork() == 0) {
    ::sleep(vfork_lasts_seconds);
    ::_exit(0);
  }
  std::puts("vforked");
}

// Its descriptor in use, which may become another.
class End {
 public:
  End(int fd, Position position) : fd_(fd), stream_(fd, position, bytes_per_second) {}
  int fd() const { return fd_; }
  const Position& position() const { return stream_.position(); }

  // False for a word that isn't about misbehaving.
  bool misbehave(const std::string& word) {
    if (word == "fork") {
      fork_a_sleeper();
    } else if (word == "vfork") {
      vfork_a_sleeper();
    } else if (word == "copy") {
      std::printf("copied %d\n", ::fcntl(fd_, F_DUPFD_CLOEXEC, 0));
    } else if (word == "dup") {
      const int other = ::fcntl(fd_, F_DUPFD_CLOEXEC, fd_ + 10);
      ::close(std::exchange(fd_, other));
      stream_ = NumberedStream(fd_, position(), bytes_per_second);
      std::puts("duplicated");
    } else if (word == "close") {
      ::close(std::exchange(fd_, -1));
      std::puts("closed");
    } else if (word == "exec") {
      exec_again(fd_, position());
    } else {
      return false;
    }
    return true;
  }

  // Until the stream has ended, or it is told "go".
  void stream_on() {
    while (!stream_.at_end()) {
      if (fd_ < 0) {
        (void)told(look_every_ms);
        continue;
      }
      if (const auto wrong = stream_.step(STDIN_FILENO)) say_last("broken " + *wrong);
      const auto word = told();
      if (!word || misbehave(*word)) continue;
      if (*word == "go") return;
      if (*word == "end") stream_.finish();
    }
    if (!stream_.finished()) stream_.finish();
    say_last("end " + std::to_string(position().sent) + " " + std::to_string(position().received));
  }

 private:
  int fd_;
  NumberedStream stream_;
};

// A group of its own, whose parent is in the same session: of another SIGTSTP stops nobody.
void run_as_a_job() {
  const pid_t shell = ::getpid(), job = ::fork();
  if (job != 0) {
    int status = 0;
    ::waitpid(job, &status, 0);
    std::exit(WIFEXITED(status) ? WEXITSTATUS(status) : 1);
  }
  ::setpgid(0, 0);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != shell) ::_exit(0);
}

int connected(const std::string& address, const std::string& port) {
  const auto to = sockswap::Endpoint::parse(address + ":" + port);
  if (!to) say_last("broken address");
  sockaddr_storage at{};
  const socklen_t size = to->to_sockaddr(AF_INET, at);
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (::connect(fd, reinterpret_cast<sockaddr*>(&at), size) != 0) say_last("broken connect");
  sockaddr_in local{};
  socklen_t local_size = sizeof local;
  ::getsockname(fd, reinterpret_cast<sockaddr*>(&local), &local_size);
  std::printf("connected %u\n", unsigned{ntohs(local.sin_port)});
  return fd;
}

int accepted(std::uint16_t port) {
  const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int on = 1;
  ::setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_port = htons(port);
  if (::bind(listener, reinterpret_cast<sockaddr*>(&at), sizeof at) != 0 || ::listen(listener, 1) != 0)
    say_last("broken listen");
  std::puts("listening");
  const int fd = ::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
  ::close(listener);
  std::puts("connected");
  return fd;
}

// A move may be under way, and thaw it, or not.
void await_thaw(int fd) {
  for (int repair = 1;;) {
    socklen_t size = sizeof repair;
    if (::getsockopt(fd, IPPROTO_TCP, TCP_REPAIR, &repair, &size) != 0) say_last("broken getsockopt");
    if (repair == 0) return;
    ::usleep(look_every_ms * 1000);
  }
}

// Does as it is told while the move is under way.
class Meanwhile {
 public:
  explicit Meanwhile(End& end)
      : thread_([this, &end] {
          while (!over_)
            if (const auto word = told(look_every_ms)) end.misbehave(*word);
        }) {}
  ~Meanwhile() {
    over_ = true;
    thread_.join();
  }

 private:
  std::atomic<bool> over_{false};
  std::thread thread_;
};

void move(char** arguments) {
  sockswap::Client here;
  End end(accepted(static_cast<std::uint16_t>(std::atoi(arguments[0]))), {});
  for (;;) {
    end.stream_on();
    std::string state(static_cast<std::size_t>(std::atoi(arguments[3])), '\0');
    const Position position = end.position();
    state.insert(0, reinterpret_cast<const char*>(&position), sizeof position);
    try {
      const Meanwhile meanwhile(end);
      here.move(end.fd(), arguments[1], arguments[2], state);
    } catch (const sockswap::Failure& failure) {
      if (failure.code() == SOCKSWAP_LOST) say_last(std::string("lost ") + failure.what());
      std::printf("undone %s: %s\n", failure.name(), failure.what());
      continue;
    }
    std::puts("moved");
    for (;;) (void)told(look_every_ms);
  }
}

}  // namespace

int main(int argc, char** argv) {
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  const std::string what = argc > 1 ? argv[1] : "";
  if (what == "stay" && argc == 4) {
    run_as_a_job();
    End(connected(argv[2], argv[3]), {}).stream_on();
  } else if (what == "move" && argc == 6) {
    move(argv + 2);
  } else if (what == "resume" && argc == 5) {
    std::puts("resumed");
    await_thaw(std::atoi(argv[2]));
    End(std::atoi(argv[2]), {std::stoull(argv[3]), std::stoull(argv[4])}).stream_on();
  }
  return 2;
}
