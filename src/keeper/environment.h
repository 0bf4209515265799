// What the parts of the keeper share. Everything here lives on its one thread.
#pragma once

#include <sys/types.h>

#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/foreign_fd.h"
#include "base/result.h"
#include "keep/kept.h"
#include "keeper/host_addresses.h"
#include "socket/kernel.h"
#include "wire/keeper.pb.h"
#include "wire/parcel.h"

namespace sockswap::keeper {

// Ends of one move: their descriptors travel in one SCM_RIGHTS message.
inline constexpr int most_ends = wire::Limits{}.descriptors;
// Moves of one role. A daemon that has gone wrong fills no more than this.
inline constexpr std::size_t most_moves = 4096;

// Sockets that are frozen, by inode: a second freeze would take the drop filter of the first for the
// program's.
class FrozenSockets {
 public:
  // Held until destroyed. The FrozenSockets must outlive it.
  class Lock {
   public:
    Lock() = default;
    Lock(Lock&& other) noexcept
        : sockets_(std::exchange(other.sockets_, nullptr)), inodes_(std::move(other.inodes_)) {}
    Lock& operator=(Lock&& other) noexcept {
      std::swap(sockets_, other.sockets_);
      std::swap(inodes_, other.inodes_);
      return *this;
    }
    ~Lock() {
      if (sockets_ == nullptr) return;
      for (const std::uint32_t inode : inodes_) sockets_->frozen_.erase(inode);
    }

   private:
    friend class FrozenSockets;
    Lock(FrozenSockets* sockets, std::vector<std::uint32_t> inodes)
        : sockets_(sockets), inodes_(std::move(inodes)) {}
    FrozenSockets* sockets_ = nullptr;
    std::vector<std::uint32_t> inodes_;
  };

  // All of them, or none: busy.
  Result<Lock> lock(std::vector<std::uint32_t> inodes) {
    for (auto inode = inodes.begin(); inode != inodes.end(); ++inode) {
      if (frozen_.insert(*inode).second) continue;
      for (auto undo = inodes.begin(); undo != inode; ++undo) frozen_.erase(*undo);
      return failure(ErrorCode::busy, "the connection is being moved already",
                     "wait for that move to end (`sockswap moves`) and try again");
    }
    return Lock(this, std::move(inodes));
  }

 private:
  std::set<std::uint32_t> frozen_;
};

struct Environment {
  socket::Kernel& kernel;
  HostAddresses& addresses;
  FrozenSockets frozen;
  pid_t daemon = 0;  // the connected one; 0: none
};

// What a request is answered with. The views are of what is kept: good until the next request.
struct Answer {
  wire::keeper::Reply reply;
  std::vector<ByteView> attachments;
  std::vector<int> fds;
};
inline Answer done() {
  Answer answer;
  answer.reply.mutable_done();
  return answer;
}

}  // namespace sockswap::keeper
