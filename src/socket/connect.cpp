#include "socket/connect.h"

#include <fmt/format.h>

#include <cerrno>

#include "socket/buffers.h"
#include "socket/repair.h"

namespace sockswap::socket {
namespace {

constexpr int kGrowths = 4;  // the first size is twice what the bytes need; more is another fault

// tcp_send_rcvq() takes some 70 KiB a call, tcp_sendmsg() what the send buffer has room for.
Result<> refill(const Handle& end, ByteView bytes, Side side) {
  int growths = 0;
  while (!bytes.empty()) {
    const ssize_t took = end.kernel().send(end.fd(), bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (took > 0) {
      bytes = bytes.subspan(static_cast<std::size_t>(took));
      continue;
    }
    const int error = took == 0 ? EAGAIN : errno;
    const bool full = error == EAGAIN || error == ENOMEM || error == ENOBUFS;
    if (!full || growths++ == kGrowths)
      return system_failure(
          error, side == Side::receive ? "can't refill the receive queue" : "can't refill the send queue");
    SOCKSWAP_CHECK(grow(end, side));
  }
  return {};
}

Result<> restore_sequences(const Handle& end, const Image& image) {
  const auto unread = static_cast<std::uint32_t>(image.received.size());
  SOCKSWAP_CHECK(select_queue(end, Queue::send));
  SOCKSWAP_CHECK(restore_sequence(end, image.position.snd_una));
  SOCKSWAP_CHECK(select_queue(end, Queue::receive));
  return restore_sequence(end, image.position.rcv_nxt - unread);
}

// With the receive queue selected; leaves none selected.
Result<> refill_queues(const Handle& end, const Image& image) {
  SOCKSWAP_CHECK(refill(end, image.received, Side::receive));
  if (!image.sent.empty()) {
    SOCKSWAP_CHECK(select_queue(end, Queue::send));
    SOCKSWAP_CHECK(refill(end, image.sent, Side::send));
  }
  return select_queue(end, Queue::none);
}

}  // namespace

Result<> connect_in_place(const Handle& end, const Image& image, const Wiring& wiring) {
  // Sequence numbers want a socket in CLOSE; connect() derives the window clamp from the buffer size
  // (tcp_init_buffer_space) and the route from the options of Phase::early.
  SOCKSWAP_CHECK(restore_sequences(end, image));
  SOCKSWAP_CHECK(restore_sizes(end, wiring.buffers_now, roomy_buffers(image)));
  SOCKSWAP_CHECK(restore_segment_size(end, image.negotiated));
  SOCKSWAP_CHECK(restore_options(end, wiring.options, Phase::early));
  SOCKSWAP_CHECK(end.connect(image.family, wiring.remote));
  // Window scales come before the windows, all of it before the first segment.
  SOCKSWAP_CHECK(restore_negotiated(end, image.negotiated));
  if (image.negotiated.timestamps) SOCKSWAP_CHECK(restore_timestamp(end, image.timestamp));
  SOCKSWAP_CHECK(refill_queues(end, image));
  SOCKSWAP_CHECK(restore_window(end, image.window));
  SOCKSWAP_CHECK(restore_options(end, wiring.options, Phase::late));
  // tcp_disconnect() has forgotten it.
  return image.receive_shut ? end.shut_receiving() : Result<>{};
}

Result<> check_local(const Handle& end, const Endpoint& wanted) {
  SOCKSWAP_TRY(const Handle::Local got, end.local());
  if (got.endpoint == wanted) return {};
  return failure(ErrorCode::not_movable, fmt::format("the route gives the socket the address {}, not {}",
                                                     got.endpoint.text(), wanted.text()));
}

}  // namespace sockswap::socket
