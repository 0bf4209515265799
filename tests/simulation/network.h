// The sessions between hosts, as src/mesh gives them: in order, at most once, and broken at any instant. What
// was on its way in a session that breaks is lost, or comes late, even after what a new session brings.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "clock.h"
#include "random.h"
#include "wire/session.pb.h"

namespace sockswap::simulation {

struct Letter {
  int from = 0, to = 0;
  wire::Message message;
  std::vector<Bytes> attachments;
};

class Network {
 public:
  struct Handlers {
    std::function<void(const Letter&)> deliver;
    std::function<void(int here, int there)> lost;  // `here` hears that its session with `there` is gone
    std::function<bool(int host)> daemon_runs;
  };
  Network(Clock& clock, Random& random, int hosts, Handlers handlers);

  void send(Letter letter);
  Time slowest() const { return slowest_; }  // letter, while nothing is wrong

  // One direction, for a time.
  void cut(int from, int to, Time duration);
  bool connected(int from, int to) const { return !cut_.contains({from, to}); }
  // All of the host's sessions are gone; `quietly` if it lost its power: then the others don't hear of it at
  // once.
  void break_sessions(int host, bool quietly);

 private:
  struct Session {
    bool up = false, dialling = false;
    std::uint64_t number = 0;               // of the session that is up
    std::vector<Letter> waiting;            // for the dialling to succeed
    std::map<int, Time> last_arrival = {};  // by destination: letters don't overtake each other
  };
  Session& session(int a, int b) { return sessions_[std::minmax(a, b)]; }
  Time latency() { return Time(random_.between(50, slowest_.count())); }
  void dial(int from, int to);
  void transmit(Session& session, Letter letter);
  void arrive(Letter letter, std::uint64_t number);
  void break_session(int a, int b, Time until_heard_by_a, Time until_heard_by_b);
  void watch(int a, int b);

  Clock& clock_;
  Random& random_;
  Handlers handlers_;
  Time slowest_;
  std::uint64_t sessions_made_ = 0;
  std::map<std::pair<int, int>, Session> sessions_;
  std::map<std::pair<int, int>, int> cut_;  // how many cuts are in force
};

}  // namespace sockswap::simulation
