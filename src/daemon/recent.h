// The last so many of something, to be recognised again.
#pragma once

#include <cstddef>
#include <deque>
#include <set>

namespace sockswap::daemon {

template <class T, std::size_t Most>
class Recent {
 public:
  void add(const T& what) {
    if (!known_.insert(what).second) return;
    order_.push_back(what);
    if (order_.size() <= Most) return;
    known_.erase(order_.front());
    order_.pop_front();
  }
  bool contains(const T& what) const { return known_.contains(what); }

 private:
  std::set<T> known_;
  std::deque<T> order_;
};

}  // namespace sockswap::daemon
