// Programs blocked in every kind of call, paused 200 times: they see nothing.
#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <linux/futex.h>
#include <poll.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/ipc.h>
#include <sys/prctl.h>
#include <sys/select.h>
#include <sys/sem.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#ifdef HAVE_LIBURING
#include <liburing.h>
#endif

#include <algorithm>
#include <cerrno>
#include <iterator>

#include "child.h"
#include "process/tracer.h"

namespace sockswap::process {
namespace {

constexpr int kPauses = 200;

// A call that ends only when the test sends the byte 'x' (or, with wakes == false, not at all).
struct Blocked {
  const char* name;
  bool wakes;
  bool plain_eintr;          // any stop ends it with EINTR, signal(7)
  long (*call)(int socket);  // what the call returned; 1 for "as it should"
};

constexpr timespec kLong{.tv_sec = 1000, .tv_nsec = 0};

Fd epoll_on(int socket) {
  Fd poller(::epoll_create1(EPOLL_CLOEXEC));
  epoll_event event{.events = EPOLLIN, .data = {}};
  ::epoll_ctl(poller.get(), EPOLL_CTL_ADD, socket, &event);
  return poller;
}

void set_timeout(int socket, int option) {
  const timeval timeout{.tv_sec = 1000, .tv_usec = 0};
  ::setsockopt(socket, SOL_SOCKET, option, &timeout, sizeof timeout);
}

long call_recv(int socket) {
  char byte;
  return ::recv(socket, &byte, 1, 0);
}
long call_recv_timeout(int socket) {
  set_timeout(socket, SO_RCVTIMEO);
  return call_recv(socket);
}
long call_poll(int socket) {
  pollfd waiting{.fd = socket, .events = POLLIN, .revents = 0};
  return ::poll(&waiting, 1, -1);
}
long call_poll_timeout(int socket) {
  pollfd waiting{.fd = socket, .events = POLLIN, .revents = 0};
  return ::poll(&waiting, 1, 1'000'000);
}
long call_ppoll(int socket) {
  pollfd waiting{.fd = socket, .events = POLLIN, .revents = 0};
  sigset_t none;
  ::sigemptyset(&none);
  return ::ppoll(&waiting, 1, &kLong, &none);
}
long call_select(int socket) {
  fd_set set;
  FD_ZERO(&set);
  FD_SET(socket, &set);
  timeval timeout{.tv_sec = 1000, .tv_usec = 0};
  return ::select(socket + 1, &set, nullptr, nullptr, &timeout);
}
long call_epoll_wait(int socket) {
  const Fd poller = epoll_on(socket);
  epoll_event event;
  return ::epoll_wait(poller.get(), &event, 1, -1);
}
long call_epoll_pwait(int socket) {
  const Fd poller = epoll_on(socket);
  epoll_event event;
  sigset_t none;
  ::sigemptyset(&none);
  return ::epoll_pwait(poller.get(), &event, 1, 1'000'000, &none);
}
long call_nanosleep(int) { return ::nanosleep(&kLong, nullptr); }
long call_futex(int) {
  std::uint32_t word = 0;
  return ::syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, 0, nullptr, nullptr, 0);
}
long call_futex_timeout(int) {
  std::uint32_t word = 0;
  return ::syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, 0, &kLong, nullptr, 0);
}
long call_sigtimedwait(int) {
  sigset_t set;
  ::sigemptyset(&set);
  ::sigaddset(&set, SIGUSR1);
  ::sigprocmask(SIG_BLOCK, &set, nullptr);
  return ::sigtimedwait(&set, nullptr, &kLong);
}
long call_sigsuspend(int) {
  sigset_t none;
  ::sigemptyset(&none);
  return ::sigsuspend(&none);
}
long call_read_pipe(int) {
  int ends[2];
  char byte;
  return ::pipe(ends) == 0 ? ::read(ends[0], &byte, 1) : -1;
}
int listen_anywhere(int backlog, sockaddr_in& address) {
  const int listener = ::socket(AF_INET, SOCK_STREAM, 0);
  address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  ::bind(listener, reinterpret_cast<sockaddr*>(&address), size);
  ::listen(listener, backlog);
  ::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size);
  return listener;
}
long call_accept(int) {
  sockaddr_in address;
  return ::accept(listen_anywhere(1, address), nullptr, nullptr);
}
long call_accept_timeout(int) {
  sockaddr_in address;
  const int listener = listen_anywhere(1, address);
  set_timeout(listener, SO_RCVTIMEO);
  return ::accept(listener, nullptr, nullptr);
}
// A listener whose queue is full answers no SYN.
long call_connect_timeout(int) {
  sockaddr_in address;
  listen_anywhere(0, address);
  const auto* to = reinterpret_cast<const sockaddr*>(&address);
  for (int i = 0; i < 2; ++i) {
    const int filler = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    ::connect(filler, to, sizeof address);
  }
  const int caller = ::socket(AF_INET, SOCK_STREAM, 0);
  set_timeout(caller, SO_SNDTIMEO);
  return ::connect(caller, to, sizeof address);
}
long call_semtimedop(int) {
  const int id = ::semget(IPC_PRIVATE, 1, 0600);
  sembuf take{.sem_num = 0, .sem_op = -1, .sem_flg = 0};
  // The set has to go when the test does, and semtimedop() needs it: a child of the child removes it.
  const pid_t user = ::getpid();
  if (::fork() == 0) {
    ::setsid();
    while (::getppid() == user) ::usleep(10000);
    ::semctl(id, 0, IPC_RMID);
    ::_exit(0);
  }
  return ::semtimedop(id, &take, 1, &kLong);
}
long call_waitpid(int) {
  const pid_t pid = ::fork();
  if (pid == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (;;) ::pause();
  }
  return ::waitpid(pid, nullptr, WUNTRACED | WCONTINUED);
}
#ifdef HAVE_LIBURING
long recv_through_io_uring(int socket, unsigned setup) {
  io_uring ring;
  if (::io_uring_queue_init(8, &ring, setup) != 0) return -2;
  char byte;
  io_uring_prep_recv(io_uring_get_sqe(&ring), socket, &byte, 1, 0);
  if (::io_uring_submit(&ring) != 1) return -3;
  io_uring_cqe* done = nullptr;
  const int error = ::io_uring_wait_cqe(&ring, &done);
  if (error != 0) {
    errno = -error;
    return -1;
  }
  return done->res;
}
long call_io_uring_recv(int socket) { return recv_through_io_uring(socket, 0); }
long call_io_uring_polled_recv(int socket) { return recv_through_io_uring(socket, IORING_SETUP_SQPOLL); }
#endif

const Blocked kBlocked[] = {
    {"recv", true, false, call_recv},
    {"recv_with_timeout", true, true, call_recv_timeout},
    {"poll", true, false, call_poll},
    {"poll_with_timeout", true, false, call_poll_timeout},
    {"ppoll", true, false, call_ppoll},
    {"select", true, false, call_select},
    {"epoll_wait", true, true, call_epoll_wait},
    {"epoll_pwait", true, true, call_epoll_pwait},
    {"nanosleep", false, false, call_nanosleep},
    {"futex", false, false, call_futex},
    {"futex_with_timeout", false, false, call_futex_timeout},
    {"sigtimedwait", false, true, call_sigtimedwait},
    {"sigsuspend", false, false, call_sigsuspend},
    {"read_pipe", false, false, call_read_pipe},
    {"accept", false, false, call_accept},
    {"accept_with_timeout", false, true, call_accept_timeout},
    {"connect_with_timeout", false, true, call_connect_timeout},
    {"semtimedop", false, true, call_semtimedop},
    {"waitpid", false, false, call_waitpid},
#ifdef HAVE_LIBURING
    {"io_uring_enter", true, true, call_io_uring_recv},
    {"io_uring_with_polling_thread", true, true, call_io_uring_polled_recv},
#endif
};

std::string name_of(const testing::TestParamInfo<Blocked>& parameter) { return parameter.param.name; }

void run_blocked(const Blocked& blocked, const World& world) {
  world.ready();
  const long result = blocked.call(world.socket);
  world.say(fmt::format("{} {}", result, result < 0 ? errno : 0));
  for (;;) ::pause();
}

class BlockedCall : public testing::TestWithParam<Blocked> {};

TEST_P(BlockedCall, SeesNothingOf200Pauses) {
  SKIP_UNLESS_TRACING();
  Child child([](const World& world) { run_blocked(GetParam(), world); });
  child.await_blocked();
  const auto holders = child.holders();
  ASSERT_FALSE(holders.empty());
  const auto pausable = check_pausable(holders);
  ASSERT_TRUE(pausable) << pausable.error().text();
  for (int i = 0; i < kPauses; ++i) {
    auto paused = Paused::pause(holders, child.inode(), kPatience);
    ASSERT_TRUE(paused) << paused.error().text();
    ASSERT_EQ(state_of(child.pid()), 't');
    ASSERT_TRUE(paused->resume());
    ASSERT_EQ(child.said(), std::vector<std::string>{}) << "after pause " << i;
  }
  await_state(child.pid(), 'S');
  ASSERT_EQ(child.said(), std::vector<std::string>{});
  if (GetParam().wakes) {  // the call that started again is as good as the first
    ASSERT_EQ(::send(child.peer(), "x", 1, 0), 1);
    EXPECT_EQ(child.next_line(), "1 0");
  }
}

INSTANTIATE_TEST_SUITE_P(All, BlockedCall, testing::ValuesIn(kBlocked), name_of);

// Negative control: those that end with EINTR at any stop do so without the cure.
class UncuredCall : public testing::TestWithParam<Blocked> {};

TEST_P(UncuredCall, SeesEintr) {
  SKIP_UNLESS_TRACING();
  Child child([](const World& world) { run_blocked(GetParam(), world); });
  child.await_blocked();
  const std::uint32_t inode = child.inode();
  Tracer tracer(EintrCure::off);
  ASSERT_TRUE(tracer.stop(child.holders(), {&inode, 1}, std::chrono::steady_clock::now() + kPatience));
  ASSERT_TRUE(tracer.release());
  EXPECT_EQ(child.next_line(), fmt::format("-1 {}", EINTR));
}

std::vector<Blocked> with_plain_eintr() {
  std::vector<Blocked> some;
  std::copy_if(std::begin(kBlocked), std::end(kBlocked), std::back_inserter(some),
               [](const Blocked& blocked) { return blocked.plain_eintr; });
  return some;
}

INSTANTIATE_TEST_SUITE_P(All, UncuredCall, testing::ValuesIn(with_plain_eintr()), name_of);

}  // namespace
}  // namespace sockswap::process
