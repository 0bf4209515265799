// Errors as values: what failed, in which step, what is still intact, and what to do about it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace sockswap {

// One number for the wire, the C ABI and the command's exit status (docs/errors.md). Values never
// change their meaning; new ones are added at the end.
enum class ErrorCode : std::uint8_t {
  ok = 0,
  internal = 1,           // a fault of ours, or a system call that should not have failed
  usage = 2,              // the request makes no sense as written
  no_daemon = 3,          // no sockswapd answers on this host
  unknown_host = 4,       // the cluster has no host of that name
  unreachable = 5,        // the host is known but no session to it could be had
  no_peer_daemon = 6,     // nobody in the cluster owns the address of the other end
  unknown_receiver = 7,   // the destination has no program registered under that name
  not_found = 8,          // no such connection (or ticket) here
  not_permitted = 9,      // the caller, or the asking host, has no right to this end
  not_movable = 10,       // a stock kernel can't move this kind of end; the message says why
  version_mismatch = 11,  // the two hosts have no protocol version in common
  receiver_gone = 12,     // the receiver ended before the commit
  busy = 13,              // another move of the same connection is under way
  timed_out = 14,         // a host didn't answer in time; the move was undone
  disagreement = 15,      // the images of the two ends contradict each other
  too_large = 16,         // a stated limit would be exceeded
  unsupported = 17,       // this kernel or these rights lack something that a move needs
  no_resources = 18,      // descriptors, ports or memory ran out
  in_doubt = 19,          // the outcome is not known yet; `sockswap moves` shows it
  lost = 20,              // after the commit the end could not be brought up again
};

// The name used in JSON and logs, such as "unknown-receiver".
std::string_view name(ErrorCode code);

struct Error {
  ErrorCode code = ErrorCode::internal;
  std::string message;  // what failed, one line, no full stop
  std::string hint;     // what the reader can do about it; may be empty
  int sys_errno = 0;    // 0 where no system call was involved

  // This, with what was being done in front of the message: "capture 10.0.0.1:80: …". By value, so that it
  // may be assigned to where it came from.
  [[nodiscard]] Error while_doing(std::string_view context) &&;

  // "message (errno text)"; the hint is printed by whoever prints the error.
  std::string text() const;
};

// An Error from a failed system call; takes the errno as an argument, since building the message may
// overwrite the global.
Error system_error(int sys_errno, std::string message, ErrorCode code = ErrorCode::internal);

}  // namespace sockswap
