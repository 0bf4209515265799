// What the daemon leaves with the keeper under a key: ends that are parked, and the state that belongs to
// them.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "keeper/environment.h"

namespace sockswap::keeper {

class Store {
 public:
  explicit Store(Environment& environment) : environment_(environment) {}

  // A key that is known already keeps what it has.
  Result<Answer> store(const wire::keeper::Store& request, std::vector<ForeignFd> fds,
                       std::vector<Bytes> attachments);
  Result<Answer> take(const wire::keeper::Take& request);
  Result<Answer> discard(const std::string& key);

  // A move that a daemon didn't live to see the end of may have taken them away.
  void drop_ended();

  void clear() { kept_.clear(); }
  bool empty() const { return kept_.empty(); }
  void list(wire::keeper::Kept& kept) const;

 private:
  struct Kept {
    uid_t owner = 0;
    std::vector<ForeignFd> fds;
    Bytes state;
  };
  std::vector<std::uint32_t> living(const Kept& kept) const;  // the inodes of its connections that live

  Environment& environment_;
  std::map<std::string, Kept> kept_;
};

}  // namespace sockswap::keeper
