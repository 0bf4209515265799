// Socket buffers around a move. While queues are written back they must be large enough for all of
// it, or a send would wait for a reader that is paused; afterwards they are what they were, and
// auto-tuning goes on unless the program had switched it off.
#pragma once

#include "socket/handle.h"
#include "socket/image.h"

namespace sockswap::socket {

enum class Side : std::uint8_t { send, receive };

Result<Buffers> dump_buffers(const Handle& end);

// Buffers as they must be from before connect() until the end is thawed. `now` is what the socket has;
// a size that is right already costs no system call.
Buffers roomy_buffers(const Image& image);
Result<> restore_sizes(const Handle& end, const Buffers& now, const Buffers& wanted);

// Buffers as they are to stay. The receive buffer covers at least what is queued and what the other
// end was promised: from 6.17 on the kernel drops arriving data beyond it.
Buffers lasting_buffers(const Image& image);
// After SO_SNDBUFFORCE and SO_RCVBUFFORCE, which lock the size that they set.
Result<> restore_locks(const Handle& end, std::uint8_t locks);

// Twice as large; no_resources if the kernel's limit is reached.
Result<> grow(const Handle& end, Side side);

}  // namespace sockswap::socket
