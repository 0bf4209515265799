#include "socket/filter.h"

#include <fmt/format.h>
#include <linux/filter.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <vector>

#include "socket/mark.h"

namespace sockswap::socket {

Result<Bytes> read_filter(const Handle& end) {
  SOCKSWAP_TRY(const int locked, end.get(SOL_SOCKET, SO_LOCK_FILTER, "SO_LOCK_FILTER"));
  if (locked != 0)
    return failure(ErrorCode::not_movable, "the program has locked the socket's filter (SO_LOCK_FILTER)",
                   "freezing an end needs a filter of its own; don't lock the program's");
  // SO_GET_FILTER counts instructions, not bytes; asked for none it tells how many there are.
  socklen_t count = 0;
  const auto ask = [&](void* to) {
    return end.kernel().getsockopt(end.fd(), SOL_SOCKET, SO_GET_FILTER, to, &count);
  };
  int answer = ask(nullptr);
  Bytes own;
  if (answer == 0 && count > 0) {
    own.resize(count * sizeof(sock_filter));
    answer = ask(own.data());
  }
  if (answer == 0) return own;
  const int error = errno;
  if (error == EACCES)
    return failure(ErrorCode::not_movable, "the socket has an eBPF filter, which can't be read back",
                   "a classic BPF filter (SO_ATTACH_FILTER) moves along");
  return system_failure(error, "can't read SO_GET_FILTER");
}

Result<Bytes> read_own_filter(const Handle& end) {
  SOCKSWAP_TRY(Bytes own, read_filter(end));
  if (own.size() / sizeof(sock_filter) > most_own_instructions)
    return failure(ErrorCode::not_movable,
                   fmt::format("the socket's filter has more than {} instructions", most_own_instructions));
  if (read_mark(own))
    return failure(ErrorCode::busy, "the end was left frozen by a sockswap-keeper that was killed",
                   "the next one thaws it as it starts, if a process has it that it can see");
  return own;
}

Result<> attach_filter(const Handle& end, ByteView instructions) {
  std::vector<sock_filter> copy(instructions.size() / sizeof(sock_filter));
  std::memcpy(copy.data(), instructions.data(), copy.size() * sizeof(sock_filter));
  const sock_fprog program{static_cast<unsigned short>(copy.size()), copy.data()};
  return end.set_bytes(SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program, "SO_ATTACH_FILTER");
}

Result<> detach_filter(const Handle& end) {
  auto done = end.set(SOL_SOCKET, SO_DETACH_FILTER, 0, "SO_DETACH_FILTER");
  if (!done && done.error().sys_errno == ENOENT) return {};
  return done;
}

}  // namespace sockswap::socket
