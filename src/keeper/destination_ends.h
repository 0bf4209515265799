// The ends of one move that arrive at their destination: reserved, rebuilt, let go, as one set.
#pragma once

#include <map>
#include <vector>

#include "keeper/environment.h"
#include "move/lost_ends.h"
#include "socket/end.h"

namespace sockswap::keeper {

class DestinationEnds {
 public:
  // Binds a local endpoint for each: the wanted one if its 4-tuple is free here, else one with another port.
  static Result<DestinationEnds> reserve(Environment& environment, const wire::keeper::Reserve& request);
  Answer reserved() const;
  // Is it the request that these were reserved for?
  bool is_for(const wire::keeper::Reserve& request) const;

  // All, or none; after an error these are of no use any more.
  Result<> rebuild(Environment& environment, const wire::keeper::Rebuild& request, std::vector<Bytes> queues);

  // Thaws all but those that are lost; these are closed, silently, and so is one that can't be thawed. Any
  // number of times, with the same answer.
  Answer let_go(const wire::keeper::LetGo& request);

  keep::Stage stage() const { return stage_; }
  const std::vector<FourTuple>& former() const { return former_; }

 private:
  keep::Stage stage_ = keep::Stage::reserved;
  std::string request_;            // Reserve, as bytes
  std::vector<FourTuple> former_;  // as the origin's program saw them
  std::vector<Endpoint> remotes_;
  std::vector<int> families_;
  std::vector<Endpoint> locals_;
  std::vector<socket::Reservation> reservations_;  // until rebuilt
  std::vector<socket::DormantEnd> dormant_;        // until let go
  std::map<std::uint32_t, ForeignFd> live_;        // until handed over
  move::LostEnds lost_;
};

// Ends that this host makes are their program's user's, as any socket that it had made itself.
void give_to(uid_t owner, int fd);

}  // namespace sockswap::keeper
