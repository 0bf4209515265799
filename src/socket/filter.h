// The filter of one socket: a classic BPF program that the kernel runs on each segment before TCP sees it.
// One that drops them all is what a freeze begins with (mark.h has its text). It goes away with the socket;
// no firewall rule is involved.
//
// A socket holds one filter, so a program's own is read first and put back afterwards. Only classic
// filters can be read back (SO_GET_FILTER answers EACCES for eBPF), and a locked one can't be replaced.
#pragma once

#include "base/bytes.h"
#include "socket/handle.h"

namespace sockswap::socket {

// The filter as an array of struct sock_filter; empty if there is none. not_movable if there is one that
// could not be put back.
Result<Bytes> read_filter(const Handle& end);
// The same for a freeze: not_movable also if it is too long, busy if it has a mark.
Result<Bytes> read_own_filter(const Handle& end);

Result<> attach_filter(const Handle& end, ByteView instructions);
Result<> detach_filter(const Handle& end);  // whether there is one or not

}  // namespace sockswap::socket
