// The kernel's knobs for a socket in repair mode, one function each, in mirror pairs. Stateless; each
// either did its one thing or changed nothing.
//
// Repair mode (TCP_REPAIR, needs CAP_NET_ADMIN): connect() and close() put nothing on the wire, queues
// and sequence numbers can be read and set. Arriving segments are still processed and acknowledged.
#pragma once

#include "socket/handle.h"
#include "socket/image.h"

namespace sockswap::socket {

// Also makes the socket's address reusable by force, until repair mode ends (sk_reuse).
Result<> repair_on(const Handle& end);

// The window probe asks the other end for an acknowledgement, and so for its window as it is now.
enum class Probe : std::uint8_t { silent, ask };
// Leaves SO_REUSEADDR at 0, whatever it was before.
Result<> repair_off(const Handle& end, Probe probe);

// Which queue sequence numbers, recv() and send() mean. With `send` selected, everything the kernel
// itself transmits is only *marked* as sent (tcp_write_xmit): never leave it selected.
enum class Queue : std::uint8_t { none, receive, send };
Result<> select_queue(const Handle& end, Queue queue);

// Of the selected queue: receive gives rcv_nxt, send gives the end of what was written. Setting needs
// a socket in CLOSE with empty queues.
Result<Sequence> dump_sequence(const Handle& end);
Result<> restore_sequence(const Handle& end, Sequence sequence);

Result<Window> dump_window(const Handle& end);
Result<> restore_window(const Handle& end, const Window& window);

struct Agreed {
  Negotiated negotiated;
  bool timestamp_in_usec = false;
};
// not_movable if the end isn't ESTABLISHED any more (its FIN came in while it was being frozen).
Result<Agreed> dump_negotiated(const Handle& end);
// In two parts. Before connect(), the largest segment, as the program's own limit (TCP_MAXSEG): the segment
// size in use is worked out in connect() and, if it has nothing better, from the RFC's default of 536;
// TCP_REPAIR_OPTIONS comes too late and doesn't work it out again. After connect(), the rest; needs
// ESTABLISHED and nothing sent since.
Result<> restore_segment_size(const Handle& end, const Negotiated& negotiated);
Result<> restore_negotiated(const Handle& end, const Negotiated& negotiated);

Result<std::uint32_t> dump_timestamp(const Handle& end, bool in_usec);
Result<> restore_timestamp(const Handle& end, std::uint32_t timestamp);

// The socket becomes an unconnected one, silently. An explicit bind() survives; every other address
// and port is given back. Works in any state, so that a half-done re-point can be started again.
Result<> disconnect(const Handle& end);

// tcpi_state of TCP_INFO, and its name in RFC 9293 ("ESTABLISHED").
Result<int> tcp_state(const Handle& end);
const char* tcp_state_name(int state);

}  // namespace sockswap::socket
