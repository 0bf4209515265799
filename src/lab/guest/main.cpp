// sockswap-lab-guest: PID 1 of a lab's host with a kernel of its own. The kernel starts it, with GUEST, the
// file that says what it is, from its command line; nobody else.
#include <fmt/format.h>
#include <unistd.h>

#include <cstdlib>

#include "lab/guest/agent.h"
#include "lab/guest/boot.h"

int main() {
  using namespace sockswap;
  const char* const description = std::getenv("GUEST");
  if (::getpid() != 1 || description == nullptr) {
    fmt::print(stderr, "sockswap-lab-guest: this is a lab guest's PID 1, and of no use elsewhere\n");
    return 2;
  }
  ::setenv("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", 1);
  auto listener = lab::guest::boot(description);
  if (!listener) {
    fmt::print(stderr, "sockswap-lab-guest: {}\n", listener.error().text());
    return 1;  // the kernel panics, and its console has the line
  }
  lab::guest::Agent(*std::move(listener)).serve();
}
