// The moves whose ends arrive on this host.
#pragma once

#include <map>

#include "keeper/destination_ends.h"
#include "move/id.h"

namespace sockswap::keeper {

class Destinations {
 public:
  explicit Destinations(Environment& environment) : environment_(environment) {}

  Result<Answer> reserve(const move::MoveId& id, const wire::keeper::Reserve& request);
  Result<Answer> rebuild(const move::MoveId& id, const wire::keeper::Rebuild& request,
                         std::vector<Bytes> queues);
  Result<Answer> let_go(const move::MoveId& id, const wire::keeper::LetGo& request);
  Result<Answer> handed_over(const move::MoveId& id);
  Result<Answer> drop(const move::MoveId& id);

  void drop_all() { moves_.clear(); }
  bool empty() const { return moves_.empty(); }
  void list(wire::keeper::Kept& kept) const;

 private:
  Environment& environment_;
  std::map<move::MoveId, DestinationEnds> moves_;
};

}  // namespace sockswap::keeper
