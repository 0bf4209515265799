// Moves of the same connection are serialised: while one runs, its ends on this host are locked.
#pragma once

#include <set>
#include <utility>
#include <vector>

#include "base/endpoint.h"
#include "base/result.h"

namespace sockswap::daemon {

class ConnectionLocks {
 public:
  // Held until destroyed. The ConnectionLocks must outlive it.
  class Lock {
   public:
    Lock() = default;
    Lock(Lock&& other) noexcept
        : locks_(std::exchange(other.locks_, nullptr)), tuples_(std::move(other.tuples_)) {}
    Lock& operator=(Lock&& other) noexcept {
      std::swap(locks_, other.locks_);
      std::swap(tuples_, other.tuples_);
      return *this;
    }
    ~Lock() {
      if (locks_ == nullptr) return;
      for (const FourTuple& tuple : tuples_) locks_->locked_.erase(tuple);
    }

   private:
    friend class ConnectionLocks;
    Lock(ConnectionLocks* locks, std::vector<FourTuple> tuples) : locks_(locks), tuples_(std::move(tuples)) {}
    ConnectionLocks* locks_ = nullptr;
    std::vector<FourTuple> tuples_;
  };

  // All of them, as this host's ends see them, or none: busy.
  Result<Lock> lock(std::vector<FourTuple> tuples) {
    for (auto tuple = tuples.begin(); tuple != tuples.end(); ++tuple) {
      if (locked_.insert(*tuple).second) continue;
      const std::string text = tuple->text();
      for (auto undo = tuples.begin(); undo != tuple; ++undo) locked_.erase(*undo);
      return failure(ErrorCode::busy, text + " is being moved already",
                     "wait for that move to end (`sockswap moves`) and try again");
    }
    return Lock(this, std::move(tuples));
  }

 private:
  std::set<FourTuple> locked_;
};

}  // namespace sockswap::daemon
