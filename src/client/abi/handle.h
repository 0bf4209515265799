// What stands behind the C ABI's opaque types, and the wall that no exception passes.
//
// Invariant: a call returns a negative sockswap_error if and only if it has left the text of its failure in
// the handle.
#pragma once

#include <sockswap/sockswap.h>

#include <new>
#include <optional>
#include <string>

#include "client/dialogue.h"

namespace sockswap::client {

// The last failure, as C strings. Constants serve where there is no memory for anything else.
class LastFailure {
 public:
  int set(Error error);  // returns the code, negated
  int set(int code, const char* text) noexcept;
  const char* text() const { return fixed_text_ != nullptr ? fixed_text_ : text_.c_str(); }
  const char* hint() const { return fixed_text_ != nullptr ? "" : hint_.c_str(); }

 private:
  std::string text_;
  std::string hint_;
  const char* fixed_text_ = nullptr;
};

}  // namespace sockswap::client

struct sockswap_handle {
  std::optional<sockswap::client::Dialogue> dialogue;  // none: sockswap_open() failed
  sockswap::client::LastFailure last;
};

struct sockswap_event {
  sockswap::client::Event event;
};

namespace sockswap::client {

int fail_with_exception(sockswap_handle* s) noexcept;  // inside a catch block

// Runs the body of one ABI call: Result<int> body().
template <class Body>
int guarded(sockswap_handle* s, Body&& body) noexcept {
  if (s == nullptr) return -SOCKSWAP_USAGE;
  try {
    Result<int> result = body();
    return result ? *result : s->last.set(std::move(result).error());
  } catch (...) {
    return fail_with_exception(s);
  }
}

// The same for calls that speak to the daemon: Result<int> body(Dialogue&).
template <class Body>
int with_dialogue(sockswap_handle* s, Body&& body) noexcept {
  return guarded(s, [&]() -> Result<int> {
    if (!s->dialogue) return failure(ErrorCode::usage, "this handle is not open: sockswap_open() had failed");
    return body(*s->dialogue);
  });
}

}  // namespace sockswap::client
