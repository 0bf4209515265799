// Checks of what a C caller passes, before anything is sent.
#pragma once

#include <sockswap/sockswap.h>

#include <algorithm>
#include <cstring>
#include <span>

#include "base/bytes.h"
#include "base/result.h"

namespace sockswap::client {

Result<> check_struct(const void* given, std::size_t given_size, std::size_t known_size);
Result<> check_sockets(const int* fds, std::size_t count);
Result<> check_name(const char* name, const char* what);  // 1 to 64 of [A-Za-z0-9._-]
Result<> check_host(const char* host);
Result<ByteView> check_state(const void* state, std::size_t size);
void close_all(std::span<const int> fds);

// A struct that begins with its size, as this library knows it: what an older caller's struct lacks is
// zero, what a newer one's has beyond must be.
template <class Struct>
Result<Struct> known_part(const Struct* given) {
  Struct known{};
  if (given == nullptr) return known;
  SOCKSWAP_CHECK(check_struct(given, given->size, sizeof known));
  std::memcpy(&known, given, std::min(given->size, sizeof known));
  return known;
}

}  // namespace sockswap::client
