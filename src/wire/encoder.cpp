#include "wire/encoder.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>

namespace sockswap::wire {
namespace {

template <class Integer>
void put(Bytes& out, Integer value) {
  for (int shift = static_cast<int>(sizeof value) * 8 - 8; shift >= 0; shift -= 8)
    out.push_back(static_cast<std::byte>(value >> shift));
}

void put_header(Bytes& out, std::size_t length, std::uint8_t kind, std::uint8_t descriptors) {
  put(out, static_cast<std::uint32_t>(length));
  put(out, kind);
  put(out, descriptors);
  put(out, std::uint16_t{0});
}

}  // namespace

void encode(Bytes& out, std::string_view message, std::span<const ByteView> attachments,
            std::uint8_t descriptors, const Limits& limits) {
  const std::size_t length =
      sizeof(std::uint32_t) + attachments.size() * sizeof(std::uint64_t) + message.size();
  std::size_t total = 0;
  for (const ByteView attachment : attachments) total += attachment.size();
  if (length > limits.message_bytes || attachments.size() > limits.attachments ||
      total > limits.attachment_bytes || descriptors > limits.descriptors)
    std::abort();

  const std::size_t chunks = total / limits.chunk_bytes + attachments.size();
  out.reserve(out.size() + length + total + (chunks + 1) * frame_header_bytes);
  put_header(out, length, message_frame, descriptors);
  put(out, static_cast<std::uint32_t>(attachments.size()));
  for (const ByteView attachment : attachments) put(out, static_cast<std::uint64_t>(attachment.size()));
  append(out, view_of(message));
  for (ByteView rest : attachments) {
    while (!rest.empty()) {
      const std::size_t size = std::min<std::size_t>(rest.size(), limits.chunk_bytes);
      put_header(out, size, chunk_frame, 0);
      append(out, rest.first(size));
      rest = rest.subspan(size);
    }
  }
}

}  // namespace sockswap::wire
