// What the parts of the keeper share. Everything here lives on its one thread.
#pragma once

#include <sys/types.h>

#include <string>
#include <utility>
#include <vector>

#include "base/foreign_fd.h"
#include "base/result.h"
#include "keep/kept.h"
#include "keeper/host_addresses.h"
#include "move/busy_set.h"
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
  using Lock = move::BusySet<std::uint32_t>::Lock;

  // All of them, or none: busy.
  Result<Lock> lock(std::vector<std::uint32_t> inodes) {
    return frozen_.lock(std::move(inodes), [](std::uint32_t) { return std::string("the connection"); });
  }

 private:
  move::BusySet<std::uint32_t> frozen_;
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
