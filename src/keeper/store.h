// Descriptors that the daemon leaves with the keeper under a key: the ends that are parked.
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
  Result<Answer> store(const std::string& key, std::vector<ForeignFd> fds);
  Result<Answer> take(const wire::keeper::Take& request) const;
  Result<Answer> discard(const std::string& key);

  void clear() { kept_.clear(); }
  bool empty() const { return kept_.empty(); }
  void list(wire::keeper::Kept& kept) const;

 private:
  Environment& environment_;
  std::map<std::string, std::vector<ForeignFd>> kept_;
};

}  // namespace sockswap::keeper
