// Who holds a socket: every process with a descriptor for it. Owns nothing and changes nothing; any
// thread. Sees the PID namespace whose /proc is mounted here. Not seen: a process elsewhere that got
// the socket by SCM_RIGHTS, a descriptor that is still in flight inside a Unix socket, and one that
// only a thread with a descriptor table of its own has (unshare(CLONE_FILES)); a process that the kernel
// doesn't let us look into (a security module, or capabilities that `sockswap check` finds missing). A
// search that fails for another reason, such as no descriptor left, is an error and never a short list.
//
// A search is true of an instant that has passed. Paused::pause() looks at what was born since, but not
// again at all processes, which takes too long in a pause (27 ms with 10,000 descriptors). So it misses a
// process that existed when the search came by and got the socket after that (SCM_RIGHTS, pidfd_getfd),
// and a child that was in the midst of its fork during the whole search: its number may be given, and
// itself not yet be listed. is_fresh() bounds that window: whoever pauses searches again if it says no.
// What is left of it is kMaxAge and the pause itself. A process that is missed runs on while the others
// stand still: it sees a connection that is silent, and a call on it may end with EINTR or an error.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "base/fd.h"
#include "base/result.h"

namespace sockswap::process {

struct Holder {
  pid_t pid = 0;
  std::uint64_t start_time =
      0;  // clock ticks since boot (proc_pid_stat(5), field 22): pid + start_time is unique
  uid_t uid = 0;
  std::string command;           // comm, printable ASCII: everything else is a "?"
  std::vector<int> descriptors;  // its numbers for this socket
  pid_t newest_pid = 0;          // the host's newest when the search began: what came later wasn't searched
  std::chrono::steady_clock::time_point searched;  // when the search began
};

using Holders = std::map<std::uint32_t, std::vector<Holder>>;  // by the socket's inode

// Processes that hold the sockets, `except` left out (the daemon's own copies); one entry for each socket
// that was asked for. One pass over all of /proc, so sockets that belong together are sought together.
Result<Holders> find_holders(std::span<const std::uint32_t> inodes, pid_t except = 0);
Result<std::vector<Holder>> find_holders(std::uint32_t inode, pid_t except = 0);

// The same for all sockets that anybody holds, for listings.
Result<Holders> all_holders();

// How old a search may be that a pause relies on.
constexpr std::chrono::milliseconds kMaxAge{10};
bool is_fresh(std::span<const Holder> holders, std::chrono::steady_clock::time_point now);

// A copy of the holder's descriptor (pidfd_getfd(2)), close-on-exec; checks that it is still the
// process and the socket that were found. not_found if either is gone.
Result<Fd> take_descriptor(const Holder& holder, std::uint32_t inode);

}  // namespace sockswap::process
