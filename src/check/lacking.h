// Reasons, in the reader's words: which right, or which kernel.
#pragma once

#include <netinet/in.h>

#include "base/fd.h"
#include "base/result.h"

namespace sockswap::check {

struct Requirement {
  const char* what;        // "TCP_REPAIR"
  const char* capability;  // "CAP_NET_ADMIN"; nullptr if anyone may
  const char* since;       // the first kernel that has it, "3.5"
};

// The errno of the call that failed, as a reason.
tl::unexpected<Error> lacking(int sys_errno, const Requirement& requirement);

// Is this capability (linux/capability.h) in the effective set?
bool has_capability(int capability);

// Both ends of a connection over 127.0.0.1, which is reset, not closed, at its end: no orphan remains.
struct Connection {
  Fd client;
  Fd server;
};
Result<Connection> connect_loopback();

}  // namespace sockswap::check
