// A parcel: one protobuf message with raw attachments (queue bytes, application state), the unit that
// both protocols exchange. Attachments never pass through protobuf.
//
// On the wire a parcel is one message frame followed by the chunk frames of its attachments, in order:
//
//   frame          u32 length of what follows | u8 kind | u8 descriptors | u16 zero
//   message (1)    u32 number of attachments n | n × u64 size | protobuf bytes
//   chunk (2)      raw bytes, the next of the attachments in order
//
// All integers in network byte order. `descriptors` counts the SCM_RIGHTS descriptors that travel with
// the frame; always 0 between hosts.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/bytes.h"

namespace sockswap::wire {

inline constexpr std::size_t frame_header_bytes = 8;
inline constexpr std::uint8_t message_frame = 1;
inline constexpr std::uint8_t chunk_frame = 2;

struct Limits {
  std::uint32_t message_bytes = 1u << 20;       // a message frame's length
  std::uint32_t chunk_bytes = 1u << 18;         // a chunk frame's length
  std::uint32_t attachments = 4096;             // of one parcel
  std::uint64_t attachment_bytes = 1ull << 28;  // of one parcel, together
  std::uint8_t descriptors = 250;               // of one frame; the kernel's SCM_MAX_FD is 253
  // Room for an attachment grows with the bytes that really arrive: a sender that announces 256 MiB and sends
  // none costs this much at most.
  std::size_t reservation = 1u << 20;
};

// A daemon's replies on the control socket may be longer: a hundred thousand connections in one list.
inline constexpr Limits reply_limits{.message_bytes = 1u << 26};

// Between sockswapd and its keeper: an attachment is one chunk, to be read straight into its place.
inline constexpr Limits keeper_limits{
    .message_bytes = 1u << 26, .chunk_bytes = 1u << 28, .reservation = 1u << 28};

struct Parcel {
  std::string message;  // protobuf bytes
  std::vector<Bytes> attachments;
  std::uint8_t descriptors = 0;  // how many come with it (the control socket only)
};

}  // namespace sockswap::wire
