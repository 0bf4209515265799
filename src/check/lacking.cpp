#include "check/lacking.h"

#include <fmt/format.h>
#include <linux/capability.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

namespace sockswap::check {

tl::unexpected<Error> lacking(int sys_errno, const Requirement& requirement) {
  Error error{
      .code = ErrorCode::unsupported, .message = requirement.what, .hint = {}, .sys_errno = sys_errno};
  switch (sys_errno) {
    case EPERM:
    case EACCES:
      error.hint = requirement.capability
                       ? fmt::format("needs {}", requirement.capability)
                       : "anyone may do this by default: look for a security policy or a spent limit";
      break;
    case ENOSYS:
    case ENOPROTOOPT:
    case EOPNOTSUPP:
    case EINVAL: error.hint = fmt::format("needs Linux {} or later", requirement.since); break;
    default: break;
  }
  return failure(std::move(error));
}

bool has_capability(int capability) {
  __user_cap_header_struct header{.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
  __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3]{};
  if (::syscall(SYS_capget, &header, sets) != 0) return false;
  return (sets[CAP_TO_INDEX(capability)].effective & CAP_TO_MASK(capability)) != 0;
}

Result<Connection> connect_loopback() {
  const auto failed = [](const char* call) {
    return system_failure(errno, fmt::format("loopback: {}", call));
  };
  const Fd listener(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  Connection connection;
  connection.client = Fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!listener || !connection.client) return failed("socket");
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* const at = reinterpret_cast<sockaddr*>(&address);
  if (::bind(listener.get(), at, size) != 0 || ::listen(listener.get(), 1) != 0) return failed("listen");
  if (::getsockname(listener.get(), at, &size) != 0) return failed("getsockname");
  // Over loopback the handshake is complete when connect() says that it is under way.
  if (::connect(connection.client.get(), at, size) != 0 && errno != EINPROGRESS) return failed("connect");
  connection.server = Fd(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
  if (!connection.server) return failed("accept");
  const linger reset{.l_onoff = 1, .l_linger = 0};
  for (const Fd* end : {&connection.client, &connection.server})
    ::setsockopt(end->get(), SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
  return connection;
}

}  // namespace sockswap::check
