#include "socket/buffers.h"

#include <sys/socket.h>

#include <algorithm>
#include <limits>

namespace sockswap::socket {
namespace {

constexpr std::uint64_t kMost = std::numeric_limits<int>::max() - 1;  // the kernel doubles an int

// A queue's bytes in the kernel's accounting, which counts whole buffers and their heads (truesize):
// large writes come to about 3 % more, the rest is for short ones.
std::uint64_t room_for(std::size_t bytes) { return 2 * std::uint64_t{bytes} + 64 * 1024; }

std::uint32_t at_least(std::uint32_t size, std::uint64_t needed) {
  return static_cast<std::uint32_t>(std::min(kMost, std::max<std::uint64_t>(size, needed)));
}

Result<> force(const Handle& end, Side side, std::uint32_t size) {
  const int half = static_cast<int>((std::uint64_t{size} + 1) / 2);
  return side == Side::send ? end.set(SOL_SOCKET, SO_SNDBUFFORCE, half, "SO_SNDBUFFORCE")
                            : end.set(SOL_SOCKET, SO_RCVBUFFORCE, half, "SO_RCVBUFFORCE");
}

}  // namespace

Result<Buffers> dump_buffers(const Handle& end) {
  SOCKSWAP_TRY(const int send, end.get(SOL_SOCKET, SO_SNDBUF, "SO_SNDBUF"));
  SOCKSWAP_TRY(const int receive, end.get(SOL_SOCKET, SO_RCVBUF, "SO_RCVBUF"));
  SOCKSWAP_TRY(const int locks, end.get(SOL_SOCKET, SO_BUF_LOCK, "SO_BUF_LOCK"));
  return Buffers{static_cast<std::uint32_t>(send), static_cast<std::uint32_t>(receive),
                 static_cast<std::uint8_t>(locks)};
}

Buffers roomy_buffers(const Image& image) {
  Buffers out = lasting_buffers(image);
  if (const std::size_t queued = image.sent.size() + image.unsent.size(); queued > 0)
    out.send = at_least(out.send, room_for(queued));
  if (!image.received.empty()) out.receive = at_least(out.receive, room_for(image.received.size()));
  return out;
}

Buffers lasting_buffers(const Image& image) {
  Buffers out = image.buffers;
  const std::int32_t promised = (image.window.rcv_wup + image.window.rcv_wnd).since(image.position.rcv_nxt);
  const auto open = static_cast<std::uint64_t>(std::max(promised, 0));
  out.receive = at_least(out.receive, image.received.size() + open);
  return out;
}

Result<> restore_sizes(const Handle& end, const Buffers& now, const Buffers& wanted) {
  if (now.send != wanted.send) SOCKSWAP_CHECK(force(end, Side::send, wanted.send));
  if (now.receive != wanted.receive) SOCKSWAP_CHECK(force(end, Side::receive, wanted.receive));
  return {};
}

Result<> restore_locks(const Handle& end, std::uint8_t locks) {
  return end.set(SOL_SOCKET, SO_BUF_LOCK, locks, "SO_BUF_LOCK");
}

Result<> grow(const Handle& end, Side side) {
  SOCKSWAP_TRY(const int now, side == Side::send ? end.get(SOL_SOCKET, SO_SNDBUF, "SO_SNDBUF")
                                                 : end.get(SOL_SOCKET, SO_RCVBUF, "SO_RCVBUF"));
  const std::uint64_t size = std::min<std::uint64_t>(kMost, 2 * std::uint64_t(now));
  if (size <= std::uint64_t(now))
    return failure(ErrorCode::no_resources, "a queue is larger than the largest socket buffer");
  return force(end, side, static_cast<std::uint32_t>(size));
}

}  // namespace sockswap::socket
