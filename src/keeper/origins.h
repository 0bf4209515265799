// The moves whose ends leave this host.
#pragma once

#include <map>

#include "keeper/origin_ends.h"
#include "move/id.h"

namespace sockswap::keeper {

class Origins {
 public:
  explicit Origins(Environment& environment) : environment_(environment) {}

  Result<Answer> check(const wire::keeper::CheckMoving& request, const std::vector<ForeignFd>& fds);
  Result<Answer> freeze(const move::MoveId& id, const wire::keeper::FreezeMoving& request,
                        std::vector<ForeignFd> fds);
  Result<Answer> release(const move::MoveId& id);
  Result<Answer> thaw(const move::MoveId& id);

  void thaw_all();
  bool empty() const { return moves_.empty(); }
  void list(wire::keeper::Kept& kept) const;

 private:
  Environment& environment_;
  std::map<move::MoveId, OriginEnds> moves_;
};

}  // namespace sockswap::keeper
