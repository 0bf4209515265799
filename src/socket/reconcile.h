// Each image knows what the other end has. What was in flight when both ends froze was dropped by
// their filters, yet each sender counts it as sent and would wait out a retransmission timeout of at
// least 200 ms. These functions rewrite two images so that nothing is in flight any more. Pure.
//
// The two directions differ because of who knows what when. The moving end is rebuilt before the
// staying end's answer is in: so its in-flight bytes are taken to the staying end *inside the move*
// and put into its receive queue. The staying end is re-pointed last, when everything is known: its
// in-flight bytes simply become "not sent yet" and leave over the new path.
#pragma once

#include "socket/image.h"

namespace sockswap::socket {

// Can these be two ends of one connection? What one has received must lie in what the other has sent
// and not seen acknowledged. `a` and `b` are both frozen.
Result<> check_agreement(const Position& a, const Position& b);

// For the end that is rebuilt first: declares everything sent as acknowledged and returns the bytes
// that were in flight, [snd_una, snd_nxt) of before. snd_wnd shrinks by as much, so that the right
// edge of the other end's window stays where it was.
Bytes take_in_flight(Image& image);

// Puts what the other end had in flight at the end of the receive queue. `in_flight` is what
// take_in_flight() returned there, `from` its first sequence number (the snd_una of before); bytes
// that this end has received already are skipped. Fails with disagreement if there is a gap.
Result<> append_in_flight(Image& image, Sequence from, ByteView in_flight);

// For the end that is rebuilt last: drops what the other end has received (before `other_rcv_nxt`)
// and turns what it hasn't into not-yet-sent bytes. Fails with disagreement if `other_rcv_nxt` is
// outside [snd_una, snd_nxt].
Result<> cut_sent(Image& image, Sequence other_rcv_nxt);

}  // namespace sockswap::socket
