// The moving ends of one move at their origin: frozen, captured, and let go the one way or the other.
#pragma once

#include <vector>

#include "keeper/environment.h"
#include "socket/end.h"

namespace sockswap::keeper {

struct OpenEnd {
  FourTuple tuple;
  int family = 0;
  std::uint32_t inode = 0;
};
Result<OpenEnd> look_at(socket::Kernel& kernel, int fd);

class OriginEnds {
 public:
  // `fds`: one an end, of sockets that nobody uses meanwhile. All, or none. too_large if their queues have
  // more than `most_bytes` together.
  static Result<OriginEnds> freeze(Environment& environment, std::vector<ForeignFd> fds,
                                   std::uint64_t most_bytes);

  // What was captured; any number of times.
  Answer answer() const;

  Result<> release();  // after the commit
  Result<> thaw();     // undo: the ends go on where they are

  const std::vector<FourTuple>& tuples() const { return tuples_; }

 private:
  struct Captured {
    socket::Position position;
    socket::Image image;  // with nothing in flight any more
    Bytes in_flight;
  };
  FrozenSockets::Lock lock_;    // before frozen_: unlocked when all are thawed
  std::vector<ForeignFd> fds_;  // till the outcome, so that no other close is the last one
  std::vector<socket::FrozenEnd> frozen_;
  std::vector<Captured> captured_;
  std::vector<FourTuple> tuples_;
};

}  // namespace sockswap::keeper
