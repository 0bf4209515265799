// TCP sequence numbers: 32 bits that wrap (RFC 9293, section 3.4).
#pragma once

#include <cstdint>

namespace sockswap::socket {

class Sequence {
 public:
  constexpr Sequence() = default;
  constexpr explicit Sequence(std::uint32_t value) : value_(value) {}

  constexpr std::uint32_t value() const { return value_; }
  constexpr Sequence operator+(std::uint32_t bytes) const { return Sequence(value_ + bytes); }
  constexpr Sequence operator-(std::uint32_t bytes) const { return Sequence(value_ - bytes); }

  // Bytes from `from` to here; negative if `from` is ahead. Meaningful within 2^31.
  constexpr std::int32_t since(Sequence from) const {
    return static_cast<std::int32_t>(value_ - from.value_);
  }
  constexpr bool before(Sequence other) const { return since(other) < 0; }
  constexpr bool after(Sequence other) const { return since(other) > 0; }
  constexpr bool operator==(const Sequence&) const = default;  // no <: it would not be transitive

 private:
  std::uint32_t value_ = 0;
};

}  // namespace sockswap::socket
