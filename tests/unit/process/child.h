// A program to pause: a forked process that holds one end of a TCP connection and reports, line by
// line, everything that it shouldn't have seen.
#pragma once

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/types.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <string>
#include <vector>

#include "base/fd.h"
#include "process/holders.h"
#include "process/pause.h"

namespace sockswap::process {

using namespace std::chrono_literals;
constexpr std::chrono::milliseconds kPatience = 10s;

// Both ends of a connection over loopback.
struct Connection {
  Fd client;
  Fd server;
};
Connection connect_loopback();

std::uint32_t inode_of(int fd);

// What the child has besides its memory.
struct World {
  int socket;                            // its end of the connection
  int report;                            // write lines here
  std::atomic<std::uint64_t>* progress;  // shared with the test
  void say(const std::string& line) const;
  void ready() const { say("ready"); }
};

class Child {
 public:
  // `run` never returns to the caller of fork(): its end is the child's.
  explicit Child(const std::function<void(const World&)>& run);
  ~Child();  // kills it

  pid_t pid() const { return pid_; }
  std::uint32_t inode() const { return inode_; }
  int peer() const { return peer_.get(); }  // the other end of its connection
  std::uint64_t progress() const { return progress_->load(); }

  // Waits for its first line, "ready", and then until its first thread sleeps.
  void await_blocked();
  void await_ready() { EXPECT_EQ(next_line(), "ready"); }
  std::string next_line();          // "" if it has none to say within the patience
  std::vector<std::string> said();  // what is there now
  void await_progress();            // until the counter has moved
  int await_exit();                 // the wait status

  std::vector<Holder> holders() const;
  Result<Paused> pause(std::chrono::milliseconds deadline = kPatience) const;

 private:
  pid_t pid_ = 0;
  std::uint32_t inode_ = 0;
  Fd peer_;
  Fd reports_;
  std::string unread_;
  std::atomic<std::uint64_t>* progress_;
};

// From /proc/PID/stat and status; 0 if there is no such process.
char state_of(pid_t pid);
pid_t tracer_of(pid_t pid);
void await_state(pid_t pid, char state);

// While it lives this program can open no more than `left` further descriptors.
class FewDescriptors {
 public:
  explicit FewDescriptors(unsigned left);
  ~FewDescriptors();
  FewDescriptors(const FewDescriptors&) = delete;
  FewDescriptors& operator=(const FewDescriptors&) = delete;

 private:
  rlimit before_{};
};

bool can_trace();
#define SKIP_UNLESS_TRACING() \
  if (!can_trace()) GTEST_SKIP() << "ptrace-pause: needs CAP_SYS_PTRACE"

}  // namespace sockswap::process
