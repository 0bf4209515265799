// Keeps a frozen end from sending of its own accord. The filter only stops what arrives; what the
// program has written and TCP has not sent yet would still leave, driven by pacing timers, by completed
// transmissions (TSQ) and by probes, and snd_nxt would run away from the image. So for the time of the
// freeze the end is told that the other's window is closed (snd_wnd = 0 by TCP_REPAIR_WINDOW): the
// kernel then sends nothing new. With nothing unsent there is nothing to stop and no system call but one.
#pragma once

#include <optional>

#include "socket/repair.h"

namespace sockswap::socket {

class SendStop {
 public:
  // In repair mode. On failure nothing was changed.
  Result<> engage(const Handle& end);
  // The same even if nothing is unsent yet: the program will write.
  Result<> close(const Handle& end);
  // The window as it really is; engages anew if an acknowledgement that was past the filter when the
  // filter was attached has opened it.
  Result<Window> window(const Handle& end);
  Result<> release(const Handle& end);

 private:
  bool still_closed(const Window& now) const;

  std::optional<Window> real_;  // what is told apart from the closed one by its snd fields
};

}  // namespace sockswap::socket
