// The moving end of a benchmark: its sockets live on lab hosts, its calls go to those hosts' daemons.
#pragma once

#include <functional>
#include <future>
#include <map>
#include <sockswap/sockswap.hpp>
#include <string>

#include "lab/cluster.h"

namespace sockswap::bench {

class Mover {
 public:
  // Registers as receiver "bench" on beta and gamma.
  explicit Mover(lab::Cluster& cluster);

  // Accepts one connection to beta:port from a program started meanwhile by `dial`.
  template <class Dial>
  Fd accept(std::uint16_t port, Dial dial) {
    const Fd listener = listen(port);
    dial();
    return accept_from(listener);
  }

  // Moves the end to the other of the two hosts and returns it there as soon as it has arrived, as its
  // receiver gets it; the one that gave it away hears of that a message later. `at_step` is called in that
  // one's thread.
  Fd move(Fd fd, const std::function<void(std::string_view step)>& at_step = {});

  // Waits until the last move is over for the one that gave the end away, too.
  void settle();

  const std::string& where() const { return where_; }

 private:
  Fd listen(std::uint16_t port);
  static Fd accept_from(const Fd& listener);

  lab::Cluster& cluster_;
  std::map<std::string, Client> clients_;
  std::string where_ = "beta";
  std::future<void> giving_;
};

// alpha, beta, gamma with a daemon each, which say nothing but errors. Throws Failure's base on trouble.
lab::Cluster three_hosts(const lab::LinkQuality& link = {});

}  // namespace sockswap::bench
