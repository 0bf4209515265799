#include <sys/utsname.h>

#include "process/eintr.h"

namespace sockswap::process {

Result<> check_eintr_cure() {
  utsname host{};
  ::uname(&host);
  return failure(ErrorCode::unsupported,
                 std::string("programs can't be paused unseen on this processor: ") + host.machine);
}

Result<> cure_eintr(pid_t) { return check_eintr_cure(); }

}  // namespace sockswap::process
