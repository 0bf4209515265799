// What is preloaded into User Mode Linux is linked into this program: its ptrace() takes a floating-point
// state that is too short, the kernel's doesn't.
#include <elf.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <vector>

namespace {

void* const xstate = reinterpret_cast<void*>(static_cast<std::uintptr_t>(NT_X86_XSTATE));

class ShortState : public testing::Test {
 protected:
  void SetUp() override {
    pid_ = ::fork();
    if (pid_ == 0) {
      ::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr);
      ::raise(SIGSTOP);
      ::_exit(7);
    }
    int status = 0;
    ASSERT_EQ(::waitpid(pid_, &status, 0), pid_);
    ASSERT_TRUE(WIFSTOPPED(status));
    state_.resize(1 << 16);
    iovec all{state_.data(), state_.size()};
    ASSERT_EQ(::ptrace(PTRACE_GETREGSET, pid_, xstate, &all), 0);
    state_.resize(all.iov_len);
  }
  void TearDown() override {
    EXPECT_EQ(::ptrace(PTRACE_CONT, pid_, nullptr, nullptr), 0);
    int status = 0;
    EXPECT_EQ(::waitpid(pid_, &status, 0), pid_);
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 7);
  }

  pid_t pid_ = -1;
  std::vector<std::uint8_t> state_;
};

TEST_F(ShortState, IsTakenWithThePreload) {
  iovec part{state_.data(), state_.size() - 64};
  EXPECT_EQ(::syscall(SYS_ptrace, PTRACE_SETREGSET, pid_, xstate, &part), -1) << "why is there a preload?";
  EXPECT_EQ(errno, EFAULT);
  EXPECT_EQ(::ptrace(PTRACE_SETREGSET, pid_, xstate, &part), 0);
}

TEST_F(ShortState, AllElseIsAsEver) {
  iovec all{state_.data(), state_.size()};
  EXPECT_EQ(::ptrace(PTRACE_SETREGSET, pid_, xstate, &all), 0);
  iovec nothing{state_.data(), 8};
  EXPECT_EQ(::ptrace(PTRACE_SETREGSET, pid_, xstate, &nothing), -1);
  errno = 0;
  (void)::ptrace(PTRACE_PEEKUSER, pid_, nullptr, nullptr);
  EXPECT_EQ(errno, 0);
}

}  // namespace
