// The drop filter: a one-instruction classic BPF program that makes the kernel discard every segment
// for one socket before TCP sees it. It goes away with the socket; no firewall rule is involved.
//
// A socket holds one filter, so a program's own is read first and put back afterwards. Only classic
// filters can be read back (SO_GET_FILTER answers EACCES for eBPF), and a locked one can't be replaced.
#pragma once

#include "base/bytes.h"
#include "socket/handle.h"

namespace sockswap::socket {

// The program's own filter as an array of struct sock_filter; empty if there is none. not_movable if
// there is one that could not be put back.
Result<Bytes> read_filter(const Handle& end);

Result<> attach_filter(const Handle& end, ByteView instructions);
Result<> attach_drop_filter(const Handle& end);
// Puts `own` back, or leaves the socket without a filter if it is empty.
Result<> detach_drop_filter(const Handle& end, ByteView own);

}  // namespace sockswap::socket
