#include "socket/capture.h"

#include <linux/sockios.h>
#include <sys/ioctl.h>

#include <cerrno>

#include "socket/buffers.h"

namespace sockswap::socket {
namespace {

// A segment that was past the filter takes microseconds to be processed; each round takes longer.
constexpr int kRounds = 16;

// A segment that was acknowledged in part stays whole in the retransmission queue (tcp_clean_rtx_queue),
// so peeking gives up to a segment more than SIOCOUTQ counts, at the front.
constexpr std::size_t kLargestSegment = 64 * 1024;

struct Reading {
  Position position;
  Bytes received;
  Bytes queued;  // [snd_una, write_end)
  Window window;
};

// EFAULT: the kernel has more than there was room for. An empty answer: `size` no longer holds.
Result<Bytes> peek(const Handle& end, std::size_t size) {
  Bytes out(size);
  const ssize_t got = end.kernel().recv(end.fd(), out.data(), out.size(), MSG_PEEK | MSG_DONTWAIT);
  if (got < 0) return system_failure(errno, "can't peek into a queue");
  out.resize(static_cast<std::size_t>(got));
  return out;
}

Result<Bytes> peek_send_queue(const Handle& end, std::size_t size) {
  auto out = peek(end, size);
  if (!out && out.error().sys_errno == EFAULT) out = peek(end, size + kLargestSegment);
  if (out && out->size() > size) out->erase(out->begin(), out->end() - static_cast<std::ptrdiff_t>(size));
  return out;
}

struct Counts {
  std::uint32_t unacknowledged = 0;
  std::uint32_t unsent = 0;
  Sequence rcv_nxt;
  bool operator==(const Counts&) const = default;
};

// With the receive queue selected.
Result<Counts> read_counts(const Handle& end) {
  SOCKSWAP_TRY(const int unacknowledged, end.count(SIOCOUTQ, "SIOCOUTQ"));
  SOCKSWAP_TRY(const int unsent, end.count(SIOCOUTQNSD, "SIOCOUTQNSD"));
  SOCKSWAP_TRY(const Sequence rcv_nxt, dump_sequence(end));
  return Counts{static_cast<std::uint32_t>(unacknowledged), static_cast<std::uint32_t>(unsent), rcv_nxt};
}

// One round; `settled` says whether all parts belong to the same instant.
Result<bool> read_once(const Handle& end, SendStop& stop, Reading& to) {
  SOCKSWAP_CHECK(select_queue(end, Queue::receive));
  SOCKSWAP_TRY(const Counts counts, read_counts(end));
  SOCKSWAP_TRY(const int unread, end.count(SIOCINQ, "SIOCINQ"));
  to.received.clear();
  if (unread > 0) {
    SOCKSWAP_TRY(to.received, peek(end, static_cast<std::size_t>(unread)));
  }
  SOCKSWAP_CHECK(select_queue(end, Queue::send));
  SOCKSWAP_TRY(const Sequence write_end, dump_sequence(end));
  to.queued.clear();
  if (counts.unacknowledged > 0) {
    SOCKSWAP_TRY(to.queued, peek_send_queue(end, counts.unacknowledged));
  }
  SOCKSWAP_TRY(to.window, stop.window(end));
  to.position = {write_end - counts.unacknowledged, write_end - counts.unsent, write_end, counts.rcv_nxt};
  SOCKSWAP_CHECK(select_queue(end, Queue::receive));
  SOCKSWAP_TRY(const Counts again, read_counts(end));
  return counts == again && to.received.size() == static_cast<std::size_t>(unread) &&
         to.queued.size() == counts.unacknowledged;
}

// What only poll() tells: refuses urgent data; true if the program has called shutdown(SHUT_RD). (A FIN shows
// as POLLRDHUP too, but leaves ESTABLISHED, which is checked after it.)
Result<bool> poll_receiving(const Handle& end) {
  pollfd receiving{end.fd(), POLLPRI | POLLRDHUP, 0};
  if (end.kernel().poll(&receiving, 1, 0) < 0) return system_failure(errno, "can't poll the end");
  if ((receiving.revents & POLLPRI) == 0) return (receiving.revents & POLLRDHUP) != 0;
  return failure(ErrorCode::not_movable, "urgent data (MSG_OOB) came in",
                 "repair mode can't tell the urgent mark; try again once the program has read it");
}

Result<Reading> read_until_settled(const Handle& end, SendStop& stop) {
  Reading reading;
  for (int round = 0; round < kRounds; ++round) {
    SOCKSWAP_TRY(const bool settled, read_once(end, stop, reading));
    if (settled) return reading;
  }
  return failure(ErrorCode::busy, "the queues don't come to rest although the end is frozen");
}

void split(Bytes queued, std::size_t sent, Image& to) {
  if (sent == 0) {
    to.unsent = std::move(queued);
  } else if (sent == queued.size()) {
    to.sent = std::move(queued);
  } else {
    const ByteView all = queued;
    to.sent.assign(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(sent));
    to.unsent.assign(all.begin() + static_cast<std::ptrdiff_t>(sent), all.end());
  }
}

Result<Image> read_image(const Handle& end, const Identity& identity, const Options& options,
                         SendStop& stop) {
  SOCKSWAP_TRY(const bool receive_shut, poll_receiving(end));
  SOCKSWAP_TRY(Reading reading, read_until_settled(end, stop));
  // After the queues, so that a FIN that was late can't hide in rcv_nxt.
  SOCKSWAP_TRY(const Agreed agreed, dump_negotiated(end));
  Image out;
  SOCKSWAP_TRY(out.timestamp, dump_timestamp(end, agreed.timestamp_in_usec));
  SOCKSWAP_TRY(out.buffers, dump_buffers(end));
  out.tuple = identity.tuple;
  out.family = identity.family;
  out.position = reading.position;
  out.negotiated = agreed.negotiated;
  out.window = reading.window;
  out.timestamp_in_usec = agreed.timestamp_in_usec;
  out.options = options;
  out.receive_shut = receive_shut;
  out.received = std::move(reading.received);
  const auto sent = static_cast<std::size_t>(out.position.snd_nxt.since(out.position.snd_una));
  split(std::move(reading.queued), sent, out);
  return out;
}

}  // namespace

Result<Image> capture_image(const Handle& end, const Identity& identity, const Options& options,
                            SendStop& stop) {
  auto image = read_image(end, identity, options, stop);
  // With the send queue selected the kernel would mark data as sent without sending it.
  auto unselected = select_queue(end, Queue::none);
  if (image && !unselected) return failure(std::move(unselected).error());
  return image;
}

}  // namespace sockswap::socket
