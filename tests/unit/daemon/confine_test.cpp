// What a program can't do any more once it has given up its rights, and what it can.
#include "daemon/confine.h"

#include <fcntl.h>
#include <grp.h>
#include <gtest/gtest.h>
#include <linux/capability.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <functional>
#include <string>
#include <thread>

#include "base/fd.h"

namespace sockswap::daemon {
namespace {

// In a process of its own. "" if what it says is nothing.
std::string in_child(const std::function<std::string()>& say) {
  int ends[2];
  EXPECT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  const pid_t pid = ::fork();
  if (pid == 0) {
    const std::string said = say();
    (void)!::write(ends[1], said.data(), said.size());
    ::_exit(0);
  }
  ::close(ends[1]);
  const Fd reading(ends[0]);
  std::string said;
  char text[4096];
  for (ssize_t got = 0; (got = ::read(reading.get(), text, sizeof text)) > 0;)
    said.append(text, static_cast<std::size_t>(got));
  int status = 0;
  EXPECT_EQ(::waitpid(pid, &status, 0), pid);
  EXPECT_EQ(status, 0);
  return said;
}

std::string confined(const std::function<std::string()>& say) {
  return in_child([&]() -> std::string {
    if (auto given_up = give_up_rights(""); !given_up) return given_up.error().text();
    return say();
  });
}

// A call, and the errno that it is to fail with.
struct Call {
  const char* name;
  std::function<long()> make;
};

const Call forbidden[] = {
    {"ptrace", [] { return ::ptrace(PTRACE_SEIZE, ::getppid(), nullptr, nullptr); }},
    {"execve",
     [] {
       char name[] = "/bin/true";
       char* arguments[] = {name, nullptr};
       return static_cast<long>(::execve(name, arguments, arguments + 1));
     }},
    {"fork", [] { return ::syscall(SYS_fork); }},
    {"clone", [] { return ::syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0); }},
    {"unshare", [] { return static_cast<long>(::unshare(CLONE_NEWUSER)); }},
    {"setsockopt TCP_REPAIR",
     [] {
       const Fd fd(::socket(AF_INET, SOCK_STREAM, 0));
       const int on = 1;
       return static_cast<long>(::setsockopt(fd.get(), IPPROTO_TCP, TCP_REPAIR, &on, sizeof on));
     }},
    {"setsockopt SO_ATTACH_FILTER",
     [] {
       const Fd fd(::socket(AF_INET, SOCK_STREAM, 0));
       const long nothing[2] = {};
       return static_cast<long>(
           ::setsockopt(fd.get(), SOL_SOCKET, SO_ATTACH_FILTER, &nothing, sizeof nothing));
     }},
    {"socket AF_NETLINK", [] { return static_cast<long>(::socket(AF_NETLINK, SOCK_RAW, 4)); }},
    {"socket AF_PACKET", [] { return static_cast<long>(::socket(AF_PACKET, SOCK_RAW, 0)); }},
    {"pidfd_open", [] { return ::syscall(SYS_pidfd_open, ::getppid(), 0); }},
    {"pidfd_getfd", [] { return ::syscall(SYS_pidfd_getfd, 0, 0, 0); }},
    {"kill", [] { return static_cast<long>(::kill(::getppid(), 0)); }},
    {"process_vm_readv", [] { return ::syscall(SYS_process_vm_readv, ::getppid(), 0, 0, 0, 0, 0); }},
    {"chmod", [] { return static_cast<long>(::chmod("/tmp", 0777)); }},
    {"chown", [] { return static_cast<long>(::chown("/tmp", 0, 0)); }},
    {"mount", [] { return static_cast<long>(::mount("none", "/tmp", "tmpfs", 0, nullptr)); }},
    {"bpf", [] { return ::syscall(SYS_bpf, 0, 0, 0); }},
    {"setresuid", [] { return static_cast<long>(::setresuid(0, 0, 0)); }},
    {"prctl", [] { return static_cast<long>(::prctl(PR_SET_DUMPABLE, 1, 0, 0, 0)); }},
};

TEST(Confine, ForbiddenCallsFail) {
#ifdef SOCKSWAP_SANITIZED
  GTEST_SKIP() << "seccomp: not with a sanitizer's runtime";
#endif
  for (const Call& call : forbidden)
    EXPECT_EQ(confined([&] {
                errno = 0;
                const long result = call.make();
                return result == -1 && errno == EPERM ? std::string{}
                                                      : std::string("returned ") + std::to_string(result) +
                                                            ", errno " + std::to_string(errno);
              }),
              "")
        << call.name;
}

// The negative control: it is the list that forbids these, and not that this process couldn't make them.
TEST(Confine, WithoutTheListTheyDont) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root: what it may do otherwise";
  for (const char* name : {"execve", "fork", "setsockopt TCP_REPAIR", "socket AF_NETLINK", "kill"}) {
    const Call* call = nullptr;
    for (const Call& one : forbidden)
      if (std::string(one.name) == name) call = &one;
    EXPECT_EQ(in_child([&]() -> std::string {
                const long result = call->make();
                return result == -1 ? std::string("fails with ") + std::to_string(errno) : std::string{};
              }),
              "")
        << name;
  }
}

#ifdef SOCKSWAP_SANITIZED
constexpr const char* filtered = "\nSeccomp:\t0\n";
#else
constexpr const char* filtered = "\nSeccomp:\t2\n";
#endif

std::string rights_left() {
  const Fd status(::open("/proc/self/status", O_RDONLY));
  char text[8192];
  const ssize_t got = ::read(status.get(), text, sizeof text);
  const std::string all(text, got > 0 ? static_cast<std::size_t>(got) : 0);
  for (const char* line : {"\nCapInh:\t0000000000000000\n", "\nCapPrm:\t0000000000000000\n",
                           "\nCapEff:\t0000000000000000\n", "\nCapBnd:\t0000000000000000\n",
                           "\nCapAmb:\t0000000000000000\n", "\nNoNewPrivs:\t1\n", "\nGroups:\t \n", filtered})
    if (all.find(line) == std::string::npos) return std::string("no ") + line + all;
  return all.find("\nUid:\t0") == std::string::npos ? "" : all;
}

TEST(Confine, NoRightsAreLeft) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root: rights to give up";
  EXPECT_NE(in_child(rights_left), "") << "there are some";
  EXPECT_EQ(in_child([]() -> std::string {
              const gid_t group = 4242;
              if (::setgroups(1, &group) != 0) return "no group to give up";
              if (auto given_up = give_up_rights(""); !given_up) return given_up.error().text();
              return rights_left();
            }),
            "");
}

TEST(Confine, AnUnknownUserIsSaidSo) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root: to become somebody";
  EXPECT_EQ(in_child([]() -> std::string {
              auto given_up = give_up_rights("no-such-user");
              return !given_up && given_up.error().code == ErrorCode::usage ? "" : "it is taken";
            }),
            "");
}

TEST(Confine, WhatADaemonNeedsGoesOn) {
  EXPECT_EQ(confined([]() -> std::string {
              bool ran = false;
              std::thread([&] { ran = true; }).join();
              if (!ran) return "no threads";
              for (const int family : {AF_INET, AF_INET6, AF_UNIX})
                if (const Fd fd(::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0)); !fd) return "no sockets";
              const Fd fd(::socket(AF_INET, SOCK_STREAM, 0));
              const int on = 1;
              if (::setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) != 0) return "no options";
              sockaddr_in address{};
              address.sin_family = AF_INET;
              address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
              if (::bind(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 ||
                  ::listen(fd.get(), 1) != 0)
                return "no listening";
              const Fd file(::open("/etc/passwd", O_RDONLY));
              return file ? "" : "no files";
            }),
            "");
}

}  // namespace
}  // namespace sockswap::daemon
