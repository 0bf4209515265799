// Result<T>: a value, or an Error. Nothing that can fail returns void or a bare bool.
#pragma once

#include <tl/expected.hpp>
#include <utility>

#include "base/error.h"

namespace sockswap {

template <class T = void>
using Result = tl::expected<T, Error>;

// return failure(ErrorCode::not_found, "…", "hint …");
inline tl::unexpected<Error> failure(Error error) { return tl::unexpected<Error>(std::move(error)); }
inline tl::unexpected<Error> failure(ErrorCode code, std::string message, std::string hint = {}) {
  return failure(Error{.code = code, .message = std::move(message), .hint = std::move(hint), .sys_errno = 0});
}
inline tl::unexpected<Error> system_failure(int sys_errno, std::string message,
                                            ErrorCode code = ErrorCode::internal) {
  return failure(system_error(sys_errno, std::move(message), code));
}

}  // namespace sockswap

#define SOCKSWAP_CONCAT_(a, b) a##b
#define SOCKSWAP_CONCAT(a, b) SOCKSWAP_CONCAT_(a, b)

// SOCKSWAP_TRY(auto image, capture(end));  hands an error on to the caller
#define SOCKSWAP_TRY(declaration, expression) \
  SOCKSWAP_TRY_IMPL_(SOCKSWAP_CONCAT(sockswap_result_, __LINE__), declaration, expression)
#define SOCKSWAP_TRY_IMPL_(temporary, declaration, expression)                              \
  auto temporary = (expression);                                                            \
  if (!temporary) return ::tl::unexpected<::sockswap::Error>(std::move(temporary).error()); \
  declaration = std::move(*temporary)

// SOCKSWAP_CHECK(release(end));  the same for Result<void>
#define SOCKSWAP_CHECK(expression)                                                                          \
  do {                                                                                                      \
    auto sockswap_checked = (expression);                                                                   \
    if (!sockswap_checked) return ::tl::unexpected<::sockswap::Error>(std::move(sockswap_checked).error()); \
  } while (false)
