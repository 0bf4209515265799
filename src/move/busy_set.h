// What is being worked on: taken all or none, given back when the one who took it is gone. One thread.
#pragma once

#include <set>
#include <utility>
#include <vector>

#include "base/result.h"

namespace sockswap::move {

template <class Key>
class BusySet {
 public:
  // Held until destroyed. The BusySet must outlive it.
  class Lock {
   public:
    Lock() = default;
    Lock(Lock&& other) noexcept : busy_(std::exchange(other.busy_, nullptr)), keys_(std::move(other.keys_)) {}
    Lock& operator=(Lock&& other) noexcept {
      std::swap(busy_, other.busy_);
      std::swap(keys_, other.keys_);
      return *this;
    }
    ~Lock() {
      if (busy_ == nullptr) return;
      for (const Key& key : keys_) busy_->busy_.erase(key);
    }

   private:
    friend class BusySet;
    Lock(BusySet* busy, std::vector<Key> keys) : busy_(busy), keys_(std::move(keys)) {}
    BusySet* busy_ = nullptr;
    std::vector<Key> keys_;
  };

  // All of them, or none: busy, with `name` of the first that is taken.
  template <class Name>
  Result<Lock> lock(std::vector<Key> keys, Name name) {
    for (auto key = keys.begin(); key != keys.end(); ++key) {
      if (busy_.insert(*key).second) continue;
      std::string named = name(*key);
      for (auto undo = keys.begin(); undo != key; ++undo) busy_.erase(*undo);
      return failure(ErrorCode::busy, std::move(named) + " is being moved already",
                     "wait for that move to end (`sockswap moves`) and try again");
    }
    return Lock(this, std::move(keys));
  }

 private:
  std::set<Key> busy_;
};

}  // namespace sockswap::move
