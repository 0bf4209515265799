// Byte buffers. Bytes leaves new elements uninitialised: queues of several MiB are read straight
// into it, and zeroing them first would double the time an end stays frozen.
#pragma once

#include <cstddef>
#include <cstring>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

namespace sockswap {

template <class T>
struct UninitialisedAllocator : std::allocator<T> {
  template <class U>
  struct rebind {
    using other = UninitialisedAllocator<U>;
  };
  template <class U>
  void construct(U* at) noexcept {
    ::new (static_cast<void*>(at)) U;
  }
  template <class U, class... Args>
  void construct(U* at, Args&&... args) {
    ::new (static_cast<void*>(at)) U(std::forward<Args>(args)...);
  }
};

using Bytes = std::vector<std::byte, UninitialisedAllocator<std::byte>>;
using ByteView = std::span<const std::byte>;

inline ByteView view_of(std::string_view text) {
  return {reinterpret_cast<const std::byte*>(text.data()), text.size()};
}
inline std::string_view text_of(ByteView bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}
inline Bytes bytes_of(std::string_view text) {
  const ByteView view = view_of(text);
  return {view.begin(), view.end()};
}
// Not insert(): with an allocator of our own the library copies element by element.
inline void append(Bytes& to, ByteView from) {
  if (from.empty()) return;
  const std::size_t before = to.size();
  to.resize(before + from.size());
  std::memcpy(to.data() + before, from.data(), from.size());
}

}  // namespace sockswap
