// The moving ends at their origin: what is done to their sockets, as one set.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/foreign_fd.h"
#include "socket/end.h"
#include "wire/session.pb.h"

namespace sockswap::daemon {

class OriginEnds {
 public:
  // `fds`: one an end, in the plan's order, of sockets that nobody uses meanwhile.
  OriginEnds(socket::Kernel& kernel, std::vector<ForeignFd> fds) : kernel_(kernel), fds_(std::move(fds)) {}

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
  socket::Kernel& kernel_;
  std::vector<ForeignFd> fds_;  // till the outcome, so that no other close is the last one
  std::vector<socket::FrozenEnd> frozen_;
  std::vector<socket::Image> images_;
  std::vector<Bytes> in_flight_;  // taken out of the images
};

}  // namespace sockswap::daemon
