#include "base/error.h"

#include <fmt/format.h>

#include <cstring>

namespace sockswap {

std::string_view name(ErrorCode code) {
  switch (code) {
    case ErrorCode::ok: return "ok";
    case ErrorCode::internal: return "internal";
    case ErrorCode::usage: return "usage";
    case ErrorCode::no_daemon: return "no-daemon";
    case ErrorCode::unknown_host: return "unknown-host";
    case ErrorCode::unreachable: return "unreachable";
    case ErrorCode::no_peer_daemon: return "no-peer-daemon";
    case ErrorCode::unknown_receiver: return "unknown-receiver";
    case ErrorCode::not_found: return "not-found";
    case ErrorCode::not_permitted: return "not-permitted";
    case ErrorCode::not_movable: return "not-movable";
    case ErrorCode::version_mismatch: return "version-mismatch";
    case ErrorCode::receiver_gone: return "receiver-gone";
    case ErrorCode::busy: return "busy";
    case ErrorCode::timed_out: return "timed-out";
    case ErrorCode::disagreement: return "disagreement";
    case ErrorCode::too_large: return "too-large";
    case ErrorCode::unsupported: return "unsupported";
    case ErrorCode::no_resources: return "no-resources";
    case ErrorCode::in_doubt: return "in-doubt";
    case ErrorCode::lost: return "lost";
  }
  return "unknown-error";  // a newer host's code
}

Error Error::while_doing(std::string_view context) && {
  message = fmt::format("{}: {}", context, message);
  return std::move(*this);
}

std::string Error::text() const {
  if (sys_errno == 0) return message;
  return fmt::format("{} ({})", message, std::strerror(sys_errno));
}

Error system_error(int sys_errno, std::string message, ErrorCode code) {
  return Error{.code = code, .message = std::move(message), .hint = {}, .sys_errno = sys_errno};
}

}  // namespace sockswap
