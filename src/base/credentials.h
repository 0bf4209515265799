// Who is at the other end of a UNIX socket (SO_PEERCRED): the process that connected, as it was at its
// connect() or listen().
#pragma once

#include <sys/socket.h>

#include <cerrno>

#include "base/result.h"

namespace sockswap {

inline Result<ucred> peer_credentials(int socket) {
  ucred credentials{};
  socklen_t size = sizeof credentials;
  if (::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0)
    return system_failure(errno, "read SO_PEERCRED");
  return credentials;
}

}  // namespace sockswap
