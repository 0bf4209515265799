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

namespace {

// The lengths are known beforehand, so that views of what is written here stay true.
struct Sizes {
  std::size_t message;      // of the message frame, without its header
  std::size_t attachments;  // bytes
  std::size_t chunks;       // at most
};

Sizes checked_sizes(std::string_view message, std::span<const ByteView> attachments, std::uint8_t descriptors,
                    const Limits& limits) {
  Sizes sizes{.message = sizeof(std::uint32_t) + attachments.size() * sizeof(std::uint64_t) + message.size(),
              .attachments = 0,
              .chunks = 0};
  for (const ByteView attachment : attachments) sizes.attachments += attachment.size();
  if (sizes.message > limits.message_bytes || attachments.size() > limits.attachments ||
      sizes.attachments > limits.attachment_bytes || descriptors > limits.descriptors)
    std::abort();
  sizes.chunks = sizes.attachments / limits.chunk_bytes + attachments.size();
  return sizes;
}

void put_message(Bytes& out, std::size_t length, std::string_view message,
                 std::span<const ByteView> attachments, std::uint8_t descriptors) {
  put_header(out, length, message_frame, descriptors);
  put(out, static_cast<std::uint32_t>(attachments.size()));
  for (const ByteView attachment : attachments) put(out, static_cast<std::uint64_t>(attachment.size()));
  append(out, view_of(message));
}

// Calls put(size, bytes) for each chunk.
template <class Put>
void each_chunk(std::span<const ByteView> attachments, std::size_t longest, Put put_chunk) {
  for (ByteView rest : attachments) {
    while (!rest.empty()) {
      const std::size_t size = std::min(rest.size(), longest);
      put_chunk(rest.first(size));
      rest = rest.subspan(size);
    }
  }
}

}  // namespace

void encode(Bytes& out, std::string_view message, std::span<const ByteView> attachments,
            std::uint8_t descriptors, const Limits& limits) {
  const Sizes sizes = checked_sizes(message, attachments, descriptors, limits);
  out.reserve(out.size() + sizes.message + sizes.attachments + (sizes.chunks + 1) * frame_header_bytes);
  put_message(out, sizes.message, message, attachments, descriptors);
  each_chunk(attachments, limits.chunk_bytes, [&](ByteView chunk) {
    put_header(out, chunk.size(), chunk_frame, 0);
    append(out, chunk);
  });
}

Gathered gather(std::string_view message, std::span<const ByteView> attachments, std::uint8_t descriptors,
                const Limits& limits) {
  const Sizes sizes = checked_sizes(message, attachments, descriptors, limits);
  Gathered out;
  out.heads.reserve(sizes.message + (sizes.chunks + 1) * frame_header_bytes);
  std::size_t viewed = 0;
  put_message(out.heads, sizes.message, message, attachments, descriptors);
  each_chunk(attachments, limits.chunk_bytes, [&](ByteView chunk) {
    put_header(out.heads, chunk.size(), chunk_frame, 0);
    out.parts.push_back(ByteView(out.heads).subspan(viewed));
    out.parts.push_back(chunk);
    viewed = out.heads.size();
  });
  if (viewed < out.heads.size()) out.parts.push_back(ByteView(out.heads).subspan(viewed));
  return out;
}

}  // namespace sockswap::wire
