// Bytes and descriptors over a UNIX stream socket: one sendmsg() or recvmsg() a call, never raising SIGPIPE,
// and never blocking unless it is asked to.
//
// The kernel's rule (unix(7), SCM_RIGHTS): descriptors belong to the first byte of the sendmsg() that
// carries them, and one recvmsg() returns those of one sendmsg() at most. Whoever has read a byte has
// its descriptors too, never fewer.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <vector>

#include "base/bytes.h"
#include "base/fd.h"
#include "base/result.h"

namespace sockswap {

enum class Wait : std::uint8_t {
  never,
  socket_timeout,  // as long as SO_SNDTIMEO or SO_RCVTIMEO of the socket say
};

// How many bytes the kernel took, with `fds` attached to the first of them; nullopt: none now, try
// again when the socket is writable. An error means that nothing was sent.
Result<std::optional<std::size_t>> send_some(int socket, ByteView bytes, std::span<const int> fds = {});
// The same from several places; of many parts only the first ones go.
Result<std::optional<std::size_t>> send_some(int socket, std::span<const ByteView> parts,
                                             std::span<const int> fds, Wait wait);

// How many bytes came (0: the peer has closed); nullopt: none now. Descriptors that came along are appended
// to `fds`, CLOEXEC. If the table of this process had no room for all of them, none is kept, and one empty Fd
// stands for all of that message's: the bytes are whole, and so is what comes after them.
Result<std::optional<std::size_t>> receive_some(int socket, std::span<std::byte> into, std::deque<Fd>& fds,
                                                Wait wait = Wait::never);

// What to say to whoever sent them.
Error no_room_for_descriptors();

// Room for so many more in this process's table, kept by copies of `like`: whoever waits for descriptors
// gives it back right before they come. no_resources if there isn't as much.
Result<std::vector<Fd>> keep_room(int like, std::size_t count);

}  // namespace sockswap
