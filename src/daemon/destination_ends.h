// The ends that arrive at their destination, as one set: reserved, rebuilt, let go by the keeper.
#pragma once

#include <vector>

#include "base/fd.h"
#include "daemon/context.h"
#include "daemon/receivers.h"
#include "keep/client.h"
#include "move/lost_ends.h"

namespace sockswap::daemon {

class DestinationEnds {
 public:
  DestinationEnds(keep::Client& keeper, move::MoveId id) : keeper_(keeper), id_(id) {}

  // Binds a local endpoint for every end that is offered: the same port if the 4-tuple is free here
  // and wasn't here before.
  Result<std::vector<Endpoint>> reserve(const Context& context, const wire::Offer& offer);

  // As they were reserved for a daemon before this one.
  void restore(const wire::Offer& offer, const google::protobuf::RepeatedPtrField<wire::Endpoint>& locals);

  // From Deliver and the attachments that belong to its images (two each). All, or none.
  Result<> rebuild(const wire::Deliver& deliver, const std::vector<Bytes>& queues);

  // After the commit: thaws every end but those that are lost already; they are closed, silently, and so is
  // one that can't be thawed, which is noted. The others are the user `owner`'s.
  std::vector<ArrivedEnd> let_go(move::LostEnds& lost, uid_t owner);

  // Their receiver has them: nobody will ask for them again.
  Result<> handed_over() { return keeper_.handed_over(id_); }

  // Undo: everything vanishes without a segment.
  Result<> drop() {
    room_.clear();
    return keeper_.drop(id_);
  }

  const std::vector<FourTuple>& former() const { return former_; }  // as the origin saw them

 private:
  keep::Client& keeper_;
  move::MoveId id_;
  std::vector<FourTuple> former_;
  std::vector<Endpoint> remotes_;
  std::vector<Endpoint> locals_;
  std::vector<Fd>
      room_;  // in the descriptor table, for those that let_go() brings: after the commit it is too late
};

}  // namespace sockswap::daemon
