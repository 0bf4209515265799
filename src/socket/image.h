// The image of one TCP end: everything that a kernel must be told to continue it. A value, no I/O.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/bytes.h"
#include "base/endpoint.h"
#include "base/result.h"
#include "socket/sequence.h"

namespace sockswap::socket {

// Where an end stands in both byte streams. snd_una ≤ snd_nxt ≤ write_end: bytes before snd_una are
// acknowledged, up to snd_nxt sent, up to write_end written by the program. Before rcv_nxt: received
// in order. The other end's rcv_nxt lies in [snd_una, snd_nxt] once both are frozen.
struct Position {
  Sequence snd_una;
  Sequence snd_nxt;
  Sequence write_end;
  Sequence rcv_nxt;
  bool operator==(const Position&) const = default;
};

// What the two ends agreed on in their SYNs; fixed for the connection's life.
struct Negotiated {
  std::uint16_t mss_clamp = 0;  // the largest segment the other end takes, bytes
  bool sack = false;
  bool timestamps = false;
  bool window_scaling = false;
  std::uint8_t snd_wscale = 0;  // shift of the windows that the other end announces
  std::uint8_t rcv_wscale = 0;  // shift of the windows that this end announces
  bool operator==(const Negotiated&) const = default;
};

// struct tcp_repair_window of linux/tcp.h (TCP_REPAIR_WINDOW).
struct Window {
  Sequence snd_wl1;              // segment that last updated snd_wnd
  std::uint32_t snd_wnd = 0;     // bytes from snd_una that the other end takes
  std::uint32_t max_window = 0;  // largest snd_wnd ever seen
  std::uint32_t rcv_wnd = 0;     // bytes from rcv_wup that this end promised to take
  Sequence rcv_wup;              // rcv_nxt when rcv_wnd was last announced
  bool operator==(const Window&) const = default;
};

// A socket option by its Linux numbers; `value` is what getsockopt gave and setsockopt takes.
struct Option {
  int level = 0;
  int name = 0;
  Bytes value;
  bool operator==(const Option&) const = default;
};

// Buffer sizes as getsockopt gives them (the kernel's, twice what a program asked for), and whether
// the program fixed them (SOCK_SNDBUF_LOCK | SOCK_RCVBUF_LOCK, SO_BUF_LOCK) or auto-tuning goes on.
struct Buffers {
  std::uint32_t send = 0;
  std::uint32_t receive = 0;
  std::uint8_t locks = 0;
  bool operator==(const Buffers&) const = default;
};

struct Image {
  FourTuple tuple;  // as this end sees it
  int family = 0;   // AF_INET, or AF_INET6 (with IPv4 addresses: v4-mapped)
  Position position;
  Negotiated negotiated;
  Window window;
  std::uint32_t timestamp = 0;     // this end's timestamp clock (TCP_TIMESTAMP), in its units
  bool timestamp_in_usec = false;  // lowest bit's meaning from Linux 6.7 on
  Buffers buffers;
  std::vector<Option> options;
  bool receive_shut = false;  // the program has called shutdown(SHUT_RD): it reads the end of the stream
  Bytes received;             // [rcv_nxt - size, rcv_nxt): not yet read by the program
  Bytes sent;                 // [snd_una, snd_nxt): sent, not acknowledged
  Bytes unsent;               // [snd_nxt, write_end)

  bool operator==(const Image&) const = default;
};

// Are the sizes of the queues those that `position` says, and the other fields in range? For images
// that came over the wire: what passes here can be handed to rebuild().
Result<> validate(const Image& image);

}  // namespace sockswap::socket
