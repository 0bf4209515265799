// The ends that arrive at their destination: reserved, rebuilt, let go, as one set.
#pragma once

#include <vector>

#include "daemon/context.h"
#include "daemon/receivers.h"
#include "move/lost_ends.h"
#include "socket/end.h"

namespace sockswap::daemon {

class DestinationEnds {
 public:
  // Binds a local endpoint for every end that is offered: the same port if the 4-tuple is free here
  // and wasn't here before.
  Result<std::vector<Endpoint>> reserve(const Context& context, const wire::Offer& offer);

  // From Deliver and the attachments that belong to its images (two each). All, or none.
  Result<> rebuild(socket::Kernel& kernel, const wire::Deliver& deliver, std::vector<Bytes> queues);

  // After the commit: thaws every end but those that are lost already; they are closed, silently, and so is
  // one that can't be thawed, which is noted.
  std::vector<ArrivedEnd> let_go(move::LostEnds& lost);

  // Undo: everything vanishes without a segment.
  void drop();

  const std::vector<FourTuple>& former() const { return former_; }  // as the origin saw them

 private:
  std::vector<FourTuple> former_;
  std::vector<Endpoint> remotes_;
  std::vector<int> families_;
  std::vector<socket::Reservation> reservations_;  // until rebuilt
  std::vector<Endpoint> locals_;
  std::vector<socket::DormantEnd> dormant_;
};

}  // namespace sockswap::daemon
