#include "child.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <thread>

#include "process/proc.h"

namespace sockswap::process {

Connection connect_loopback() {
  const Fd listener(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  EXPECT_EQ(::bind(listener.get(), reinterpret_cast<sockaddr*>(&address), size), 0);
  EXPECT_EQ(::listen(listener.get(), 1), 0);
  EXPECT_EQ(::getsockname(listener.get(), reinterpret_cast<sockaddr*>(&address), &size), 0);
  Connection connection;
  connection.client = Fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  EXPECT_EQ(::connect(connection.client.get(), reinterpret_cast<sockaddr*>(&address), size), 0);
  connection.server = Fd(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
  return connection;
}

std::uint32_t inode_of(int fd) {
  struct stat file {};
  EXPECT_EQ(::fstat(fd, &file), 0);
  return static_cast<std::uint32_t>(file.st_ino);
}

void World::say(const std::string& line) const {
  const std::string text = line + "\n";
  if (::write(report, text.data(), text.size()) < 0) ::_exit(99);
}

Child::Child(const std::function<void(const World&)>& run) {
  Connection connection = connect_loopback();
  inode_ = inode_of(connection.server.get());
  int ends[2];
  EXPECT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  progress_ = static_cast<std::atomic<std::uint64_t>*>(
      ::mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
  pid_ = ::fork();
  if (pid_ == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    ::close(ends[0]);
    connection.client.reset();
    const int held = ::dup(connection.server.get());  // survives exec
    connection.server.reset();
    run(World{.socket = held, .report = ends[1], .progress = progress_});
    ::_exit(0);
  }
  ::close(ends[1]);
  reports_ = Fd(ends[0]);
  peer_ = std::move(connection.client);
}

Child::~Child() {
  if (pid_ > 0) {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  ::munmap(progress_, 4096);
}

std::string Child::next_line() {
  for (;;) {
    if (const std::size_t end = unread_.find('\n'); end != std::string::npos) {
      const std::string line = unread_.substr(0, end);
      unread_.erase(0, end + 1);
      return line;
    }
    pollfd waiting{.fd = reports_.get(), .events = POLLIN, .revents = 0};
    if (::poll(&waiting, 1, static_cast<int>(kPatience.count())) <= 0) return "";
    char text[256];
    const ssize_t size = ::read(reports_.get(), text, sizeof text);
    if (size <= 0) return "";
    unread_.append(text, static_cast<std::size_t>(size));
  }
}

std::vector<std::string> Child::said() {
  std::vector<std::string> lines;
  pollfd waiting{.fd = reports_.get(), .events = POLLIN, .revents = 0};
  while (unread_.find('\n') != std::string::npos || ::poll(&waiting, 1, 0) > 0) {
    lines.push_back(next_line());
    if (lines.back().empty()) {  // it has ended
      lines.pop_back();
      break;
    }
  }
  return lines;
}

void Child::await_blocked() {
  await_ready();
  await_state(pid_, 'S');
}

void Child::await_progress() {
  const std::uint64_t from = progress();
  for (int i = 0; i < 10000 && progress() == from; ++i) std::this_thread::sleep_for(1ms);
  EXPECT_NE(progress(), from) << "the program doesn't run";
}

int Child::await_exit() {
  int status = -1;
  EXPECT_EQ(::waitpid(pid_, &status, 0), pid_);
  pid_ = 0;
  return status;
}

std::vector<Holder> Child::holders() const {
  auto found = find_holders(inode_, ::getpid());
  EXPECT_TRUE(found) << found.error().text();
  return found ? *std::move(found) : std::vector<Holder>{};
}

Result<Paused> Child::pause(std::chrono::milliseconds deadline) const {
  return Paused::pause(holders(), inode_, deadline);
}

char state_of(pid_t pid) {
  const Fd folder = open_process(pid).value();
  const auto stat = folder ? read_stat(folder.get()).value() : std::nullopt;
  return stat ? stat->state : '\0';
}

pid_t tracer_of(pid_t pid) {
  const Fd folder = open_process(pid).value();
  return folder ? static_cast<pid_t>(read_status(folder.get(), "TracerPid").value().value_or(0)) : 0;
}

void await_state(pid_t pid, char state) {
  for (int i = 0; i < 10000 && state_of(pid) != state; ++i) std::this_thread::sleep_for(1ms);
  EXPECT_EQ(state_of(pid), state);
}

// The limit is one for numbers: it is put behind the one up to which `left` are free.
FewDescriptors::FewDescriptors(unsigned left) {
  EXPECT_EQ(::getrlimit(RLIMIT_NOFILE, &before_), 0);
  rlimit fewer = before_;
  for (fewer.rlim_cur = 0;; ++fewer.rlim_cur) {
    const bool is_free = ::fcntl(static_cast<int>(fewer.rlim_cur), F_GETFD) < 0;
    if (is_free && left-- == 0) break;
  }
  EXPECT_EQ(::setrlimit(RLIMIT_NOFILE, &fewer), 0);
}

FewDescriptors::~FewDescriptors() { EXPECT_EQ(::setrlimit(RLIMIT_NOFILE, &before_), 0); }

bool can_trace() {
  static const bool can = [] {
    Child child([](const World& world) {
      world.ready();
      ::pause();
    });
    child.await_ready();
    return child.pause().has_value();
  }();
  return can;
}

}  // namespace sockswap::process
