// A host of the cluster that was taken over: its daemon is dead, its certificate and key are in the test's
// hands, and the test says with them what it likes to the daemons of the other hosts.
#pragma once

#include <chrono>
#include <initializer_list>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "cluster/identity.h"
#include "lab/host.h"
#include "unit/mesh/raw_peer.h"
#include "wire/session.pb.h"

namespace sockswap::test {

struct Saying {
  std::string to;
  wire::Message message;
  std::vector<Bytes> attachments = {};
};

class Mallory {
 public:
  // `home`: the host that was taken over. No daemon runs there.
  explicit Mallory(lab::Host& home);

  // A session such as the host's daemon would have. A second one ends the first.
  void dial(const lab::Host& victim);

  void say(const Saying& saying);
  // The next that `from` says; nothing if it says nothing in time, or the session has ended.
  std::optional<wire::Message> hear(const std::string& from, std::chrono::milliseconds within = patience);
  // The next of that kind; what else it says is passed over. Throws if it doesn't come.
  wire::Message await(const std::string& from, std::initializer_list<wire::Message::BodyCase> any_of);
  // All that `from` has said before it answers a question that is asked now: it has dealt with whatever was
  // said to it before, then.
  std::vector<wire::Message> hear_out(const std::string& from);
  // The same, once with each.
  void hear_all_out();

  const std::string& name() const { return identity_.name; }
  lab::Host& home() { return home_; }

  static constexpr std::chrono::milliseconds patience{20'000};

 private:
  lab::Host& home_;
  cluster::Identity identity_;
  std::map<std::string, mesh::RawPeer> sessions_;  // by the other host's name
};

}  // namespace sockswap::test
