#include "client/abi/handle.h"

#include <algorithm>

#include "client/abi/arguments.h"

namespace sockswap::client {
namespace {

// The daemon's text may quote what others have sent; a log line or a terminal is not theirs to write on.
std::string one_line(std::string text) {
  std::ranges::replace_if(
      text, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }, ' ');
  return text;
}

}  // namespace

int LastFailure::set(Error error) {
  text_ = one_line(error.message.empty() ? std::string(name(error.code)) : error.text());
  hint_ = one_line(std::move(error.hint));
  fixed_text_ = nullptr;
  return -static_cast<int>(error.code);
}

int LastFailure::set(int code, const char* text) noexcept {
  fixed_text_ = text;
  return -code;
}

int fail_with_exception(sockswap_handle* s) noexcept {
  if (s->dialogue && s->dialogue->take_unsettled())
    return s->last.set(SOCKSWAP_IN_DOUBT,
                       "interrupted while the daemon moved the ends: see `sockswap moves`");
  try {
    throw;
  } catch (const std::bad_alloc&) {
    return s->last.set(SOCKSWAP_NO_RESOURCES, "out of memory");
  } catch (...) {
    return s->last.set(SOCKSWAP_INTERNAL, "an unexpected exception");
  }
}

}  // namespace sockswap::client

using namespace sockswap;
using namespace sockswap::client;

int sockswap_open(const sockswap_options* options, sockswap_handle** out) {
  if (out == nullptr) return -SOCKSWAP_USAGE;
  *out = new (std::nothrow) sockswap_handle;
  if (*out == nullptr) return -SOCKSWAP_NO_RESOURCES;
  sockswap_handle* s = *out;
  return guarded(s, [&]() -> Result<int> {
    SOCKSWAP_TRY(const sockswap_options known, known_part(options));
    SOCKSWAP_TRY(
        Dialogue dialogue,
        Dialogue::open(known.control_socket != nullptr ? known.control_socket : default_control_socket()));
    s->dialogue.emplace(std::move(dialogue));
    return 0;
  });
}

void sockswap_close(sockswap_handle* s) { delete s; }

const char* sockswap_error_text(const sockswap_handle* s) {
  return s != nullptr ? s->last.text() : "no handle was given";
}

const char* sockswap_error_hint(const sockswap_handle* s) { return s != nullptr ? s->last.hint() : ""; }

const char* sockswap_error_name(int error) {
  // Not by negation: INT_MIN has none.
  const int code = error < 0 && error >= -0xff ? -error : error;
  return name(code >= 0 && code <= 0xff ? static_cast<ErrorCode>(code) : ErrorCode{0xff}).data();
}

int sockswap_fd(const sockswap_handle* s) { return s != nullptr && s->dialogue ? s->dialogue->fd() : -1; }
