// What a target makes of libFuzzer's bytes, and how it says that something is wrong.
#pragma once

#include <sanitizer/allocator_interface.h>
#include <stdlib.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"

namespace sockswap::fuzz {

// Takes from the front; past the end come zeros and nothing.
class Input {
 public:
  Input(const std::uint8_t* data, std::size_t size) : rest_(reinterpret_cast<const std::byte*>(data), size) {}

  std::uint8_t byte() {
    const ByteView one = take(1);
    return one.empty() ? std::uint8_t{0} : std::to_integer<std::uint8_t>(one[0]);
  }
  std::uint16_t u16() {
    const unsigned high = byte();
    return static_cast<std::uint16_t>(high << 8 | byte());
  }
  std::uint32_t u32() {
    const std::uint32_t high = u16();
    return high << 16 | u16();
  }
  ByteView take(std::size_t size) {
    const ByteView taken = rest_.first(std::min(size, rest_.size()));
    rest_ = rest_.subspan(taken.size());
    return taken;
  }
  ByteView all() { return take(rest_.size()); }
  bool empty() const { return rest_.empty(); }

 private:
  ByteView rest_;
};

// An invariant of the target.
inline void require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "broken: %s\n", what);
  std::abort();
}

// For what a target sets up once.
template <class T>
T must(Result<T> result) {
  if (!result) std::fprintf(stderr, "set-up: %s\n", result.error().text().c_str());
  require(result.has_value(), "the target's set-up");
  if constexpr (!std::is_void_v<T>) return *std::move(result);
}

// Bytes that the program holds from malloc() and new; AddressSanitizer counts them.
inline std::size_t allocated() { return __sanitizer_get_current_allocated_bytes(); }

// A folder of the target's own in the temporary folder, gone when the target ends in order.
class ScratchFolder {
 public:
  ScratchFolder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "sockswap-fuzz.XXXXXX").native();
    require(::mkdtemp(pattern.data()) != nullptr, "a temporary folder");
    path_ = pattern;
  }
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;
  ~ScratchFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace sockswap::fuzz
