// The moving ends at their origin, as one set: what the keeper does to their sockets, and what it has read
// there.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/foreign_fd.h"
#include "keep/client.h"
#include "wire/session.pb.h"

namespace sockswap::daemon {

class OriginEnds {
 public:
  // `fds`: one an end, in the plan's order, of sockets that nobody uses meanwhile. None if the move is only
  // tried out.
  OriginEnds(keep::Client& keeper, move::MoveId id, std::vector<ForeignFd> fds)
      : keeper_(keeper), id_(id), fds_(std::move(fds)) {}

  // Bytes that their programs have written and the other ends haven't acknowledged: about so many.
  std::uint64_t outstanding() const;

  // Freezes and captures all, or none. too_large if their queues, with so much state, can't travel.
  Result<std::vector<socket::Position>> freeze(std::uint64_t state_bytes);

  // Hold's attachments: what its ends had in flight. Once only for each end.
  std::vector<Bytes> take_in_flight(const wire::Hold& hold);

  // Deliver's body, and its attachments up to the state. Takes the queues out of the images: once only.
  std::vector<Bytes> compose_deliver(wire::Deliver& deliver);

  // After the commit. An end that can't be released is only reported: the peer has been told already.
  Result<> release();

  // Undo. The ends go on where they are.
  Result<> thaw();

 private:
  keep::Client& keeper_;
  move::MoveId id_;
  std::vector<ForeignFd> fds_;
  std::vector<keep::FrozenMoving> frozen_;
};

}  // namespace sockswap::daemon
