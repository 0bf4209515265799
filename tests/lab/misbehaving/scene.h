// Where programs misbehave in the midst of a move: three hosts called by their roles, real daemons with traps
// (sockswapd(8), --trap), and a program at each end that streams and checks every byte. The test brings the
// move to a step, does what is to happen there, and lets it go on. Each test has a lab of its own. Needs
// root.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "lab/cluster.h"
#include "lab/faults/voice.h"

namespace sockswap::test {

using namespace std::chrono_literals;

// A connection between a program that stays, on `peer`, and one that moves, on `origin`; and who receives its
// end.
struct Talk {
  faults::Voice staying, moving, receiving;
};

class Misbehaving : public ::testing::Test {
 protected:
  static constexpr const char* roles[] = {"origin", "destination", "peer"};

  void SetUp() override;
  void TearDown() override;

  // ---- the stage
  // Starts the daemons, to stop at those steps (ROLE:STEP, each once), and a talk.
  void begin(const std::vector<std::string>& traps, std::size_t state_bytes = 100);
  void start_daemon(const std::string& role, const std::vector<std::string>& traps = {});
  // Another connection, between programs of its own.
  void talk_again(std::size_t state_bytes = 100) { talk_ = new_talk(state_bytes); }
  lab::Host& host(const std::string& role) { return lab_->host(role); }
  pid_t daemon(const std::string& role) { return daemons_.at(role).pid(); }
  pid_t keeper(const std::string& role);
  Talk& talk() { return *talk_; }
  pid_t staying_program() { return only_child_of(talk().staying.pid()); }
  Endpoint moving_end();  // where it is before the move
  Endpoint staying_end();

  // ---- the move
  void go();                                 // the moving program asks for it
  void await_trap(const std::string& role);  // its daemon stands at its step
  void release(const std::string& role);     // and goes on
  // "moved", "undone WHY" or "lost WHY": what the moving program is told.
  std::string await_outcome();
  void expect_outcome(const std::string& beginning);

  // ---- afterwards
  // All parts in moves are over, and nothing is left behind on any host.
  void expect_settled();
  // Told to end, both programs have all bytes of each other.
  void expect_whole(faults::Voice& owner) { expect_whole(owner, talk().staying); }
  void expect_whole(faults::Voice& owner, faults::Voice& staying);
  // That program hears that the other one is gone, and has got no wrong byte.
  void expect_hears_the_end(faults::Voice& who);
  // The daemons still run, and another connection moves.
  void expect_another_move();

  // ---- what is looked at
  void await_word(faults::Voice& who, const std::string& word);
  static void await(const std::string& what, const std::function<bool()>& holds,
                    std::chrono::milliseconds patience = 20s);
  // Has that host's part in its latest move come to the step? Asks its daemon, which must run.
  bool reached(const std::string& role, const std::string& step);
  static char state_of(pid_t pid);  // as in /proc/PID/stat; '?' if it is gone
  static pid_t only_child_of(pid_t pid);
  // TCP sockets of that process with another end.
  static int connections_of(pid_t pid);

 private:
  std::unique_ptr<Talk> new_talk(std::size_t state_bytes);

  std::optional<lab::Lab> lab_;
  std::map<std::string, lab::Process> daemons_;
  std::unique_ptr<Talk> talk_;
  std::uint16_t port_ = 5600;
  int talks_ = 0;
};

}  // namespace sockswap::test
