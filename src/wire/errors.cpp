#include "wire/errors.h"

#include <limits>

namespace sockswap::wire {

sockswap::Error from_message(const wire::Error& message) {
  const bool fits = message.code() > 0 && message.code() <= std::numeric_limits<std::uint8_t>::max();
  return {.code = fits ? static_cast<ErrorCode>(message.code()) : ErrorCode::internal,
          .message = message.message(),
          .hint = message.hint(),
          .sys_errno = 0};
}

// errno numbers mean nothing on another host: the text takes them along.
void to_message(const sockswap::Error& error, wire::Error& message) {
  message.set_code(static_cast<std::uint32_t>(error.code));
  message.set_message(error.text());
  message.set_hint(error.hint);
}

}  // namespace sockswap::wire
