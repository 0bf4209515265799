// Bytes to parcels: incremental, bounded, never trusting a length.
#pragma once

#include <optional>
#include <span>

#include "base/result.h"
#include "wire/parcel.h"

namespace sockswap::wire {

class Decoder {
 public:
  explicit Decoder(const Limits& limits = {}) : limits_(limits) {}

  // Takes in bytes as they come, in pieces of any size. After an error the stream is useless: close it.
  Result<> feed(ByteView bytes);

  // Where the next bytes of the stream go if they are an attachment's: they can be read straight into it,
  // instead of being fed. At most `most` of them; empty if something else comes next, or less than `least`.
  // Then filled() says how many have come; the rest of the room is given up.
  std::span<std::byte> room(std::size_t least, std::size_t most);
  void filled(std::size_t size);

  // The next whole parcel, oldest first.
  std::optional<Parcel> next();

  // Descriptors that the frames read so far have announced; the control socket compares this with what
  // SCM_RIGHTS brought.
  std::uint64_t announced_descriptors() const { return announced_descriptors_; }

  // Is a parcel half-read? A stream that ends here was cut.
  bool mid_parcel() const { return filling_ || header_ || !head_.empty(); }

 private:
  struct Header {
    std::uint32_t length = 0;
    std::uint8_t kind = 0;
    std::uint8_t descriptors = 0;
  };
  Result<> take_header();
  Result<> take_message();
  void take_chunk_bytes(ByteView& bytes);
  void chunk_bytes_taken(std::size_t size);
  void reserve_first(Bytes& to) const;
  void skip_full_attachments();

  Limits limits_;
  Bytes head_;                    // a frame's header, or a message frame's body, as far as it has come
  std::optional<Header> header_;  // of the frame being read
  std::uint32_t chunk_left_ = 0;  // bytes of the current chunk frame still to come
  bool filling_ = false;          // partial_ still lacks attachment bytes
  Parcel partial_;
  std::vector<std::uint64_t> sizes_;
  std::size_t attachment_ = 0;  // being filled
  std::size_t roomy_ = 0;       // of its bytes, those that room() gave out last
  std::vector<Parcel> done_;
  std::size_t taken_ = 0;  // of done_
  std::uint64_t announced_descriptors_ = 0;
};

}  // namespace sockswap::wire
