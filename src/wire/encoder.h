// Parcels to bytes.
#pragma once

#include <span>

#include "wire/parcel.h"

namespace sockswap::wire {

// Appends the frames of a parcel to `out`. The attachments are views: they are copied once, into `out`.
// Exceeding `limits` is a programming error (the caller refuses earlier) and aborts.
void encode(Bytes& out, std::string_view message, std::span<const ByteView> attachments = {},
            std::uint8_t descriptors = 0, const Limits& limits = {});

// The same without a copy of the attachments: what is to be sent, in order. `parts` are views into `heads`
// and into the attachments.
struct Gathered {
  Bytes heads;
  std::vector<ByteView> parts;
};
Gathered gather(std::string_view message, std::span<const ByteView> attachments, std::uint8_t descriptors,
                const Limits& limits);

}  // namespace sockswap::wire
