// A cluster in a lab, alpha, beta and gamma, shared by the tests of one program; and the moving end, which
// the test itself holds: its sockets live on a lab host, its calls go to that host's daemon as any program's.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <sockswap/sockswap.hpp>
#include <string>
#include <vector>

#include "lab/cluster.h"

namespace sockswap::test {

// The unmodified program at the other end.
struct Stayer {
  lab::Process process;

  // Its last line and exit status; empty if all was well, else what was not.
  std::string verdict(std::size_t sent, std::size_t received);
  // As a move does it: by ptrace.
  bool is_paused() const;
};

struct StayerOptions {
  std::string calls = "blocking";
  std::size_t send = 0, receive = 0;
  bool read_late = false, write_late = false;
  std::optional<lab::User> user = {};
};

inline constexpr lab::User nobody{65534, 65534};

// What the command said, given --json.
struct Said {
  lab::Output output;
  nlohmann::json json;
  int status() const { return output.status.code; }
};

class LabTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { use(lab::Topology::bridge); }
  void SetUp() override;

  // What joins the hosts, and which there are, for the tests from now on; each kind has a cluster of its own.
  using Names = std::vector<std::string>;
  static void use(lab::Topology topology, const Names& hosts = {"alpha", "beta", "gamma"});

  static lab::Cluster& cluster();
  static lab::Host& host(const std::string& name) { return cluster().host(name); }
  static Address address(const std::string& host_name, bool v6) {
    return v6 ? host(host_name).v6() : host(host_name).v4();
  }

  // A handle on that host's daemon.
  static Client client(const std::string& host_name);
  // A listener, and a connection, of that host's.
  static Fd listen_on(const std::string& host_name, const Endpoint& local);
  static Fd accept_from(const Fd& listener);
  static Fd connect_from(const std::string& host_name, const Endpoint& to);

  // A stayer on `on` and the moving end on `from`, connected; the stayer dials if `stayer_connects`.
  struct Connected {
    Stayer stayer;
    Fd moving;
  };
  static Connected connect(const std::string& on, const std::string& from, bool stayer_connects, bool v6,
                           bool mapped, const StayerOptions& options);

  // Whether that user's programs can wait in these calls here.
  static bool can_call(const std::string& calls, const std::optional<lab::User>& user);

  // The real command on that host; as root unless a user is given.
  static Said sockswap(const std::string& on, std::vector<std::string> arguments,
                       const std::optional<lab::User>& user = {});

  // Moves the end to the receiver `name` there, and gives it back; the state that arrives is checked.
  static Fd move(Fd fd, const std::string& from, const std::string& to, const std::string& receiver = "test");

  static std::uint16_t next_port();

 private:
  class Clusters;  // ends them all when the program's last test has run
  static std::map<std::pair<lab::Topology, Names>, lab::Cluster>& clusters();
  static ::testing::Environment* const at_the_end_;

  static lab::Topology topology_;
  static Names hosts_;
};

// What the moving end does, in the test's own process: all of `count` ramp bytes from `from` on. Bounded: a
// stalled stream throws.
void send_ramp(const Fd& fd, std::size_t from, std::size_t count);
void receive_ramp(const Fd& fd, std::size_t from, std::size_t count);
// Writes until the kernel takes no more, for a while too; how many. Throws if that needs `limit` bytes.
std::size_t fill(const Fd& fd, std::size_t from, std::size_t limit);
// The queue's bytes (SIOCINQ, SIOCOUTQ, SIOCOUTQNSD).
int queue_of(const Fd& fd, unsigned long request);
// Waits until the queue holds at least so many bytes.
void wait_for_queue(const Fd& fd, unsigned long request, int at_least);
// Waits until the queue isn't empty and has not grown for a while.
void wait_until_quiet(const Fd& fd, unsigned long request);
void finish_writing(const Fd& fd);
void expect_end(const Fd& fd);

}  // namespace sockswap::test
