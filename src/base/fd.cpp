#include "base/fd.h"

#include <fcntl.h>
#include <unistd.h>

namespace sockswap {

void Fd::reset(int fd) {
  const int old = std::exchange(fd_, fd);
  if (old >= 0) ::close(old);
}

Fd Fd::duplicate() const { return Fd(::fcntl(fd_, F_DUPFD_CLOEXEC, 0)); }

}  // namespace sockswap
