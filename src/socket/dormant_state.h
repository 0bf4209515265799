// Private to the room: what a DormantEnd owns.
#pragma once

#include "socket/end.h"
#include "socket/hold.h"

namespace sockswap::socket {

// thaw() walks these in order and can be called again where it failed.
enum class ThawStep : std::uint8_t { in_repair, writing, settling, done };

struct DormantEnd::State {
  Fd fd;  // first, so that it is closed last
  Hold hold;
  Bytes unsent;
  std::size_t written = 0;  // of unsent
  Buffers roomy, lasting;
  Buffers found;  // sizes before roomy; {} on a fresh socket
  ThawStep step = ThawStep::in_repair;

  State(Fd socket, Hold held, const Image& image, const Buffers& buffers_found);
  ~State();  // unless thawed: disconnected silently, so that every holder sees ENOTCONN

  Result<> leave_repair();
  Result<> write_unsent();
  Result<> settle();
};

}  // namespace sockswap::socket
