#include "client/deadline.h"

#include <algorithm>
#include <limits>

namespace sockswap::client {

int poll_timeout(Deadline deadline) {
  if (deadline == never) return -1;
  if (deadline == at_once) return 0;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now()).count();
  return static_cast<int>(std::clamp<decltype(left)>(left, 0, std::numeric_limits<int>::max()));
}

}  // namespace sockswap::client
