#include "wire/decoder.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <utility>

namespace sockswap::wire {
namespace {

template <class Integer>
Integer get(const std::byte* from) {
  Integer value = 0;
  for (std::size_t i = 0; i < sizeof value; ++i)
    value = static_cast<Integer>((value << 8) | std::to_integer<Integer>(from[i]));
  return value;
}
template <>
std::uint8_t get(const std::byte* from) {
  return std::to_integer<std::uint8_t>(*from);
}

tl::unexpected<Error> malformed(std::string what) {
  return failure(ErrorCode::internal, "malformed frame: " + std::move(what));
}

void move_bytes(Bytes& to, ByteView& from, std::size_t size) {
  size = std::min(size, from.size());
  append(to, from.first(size));
  from = from.subspan(size);
}

}  // namespace

Result<> Decoder::take_header() {
  Header header;
  header.length = get<std::uint32_t>(head_.data());
  header.kind = get<std::uint8_t>(head_.data() + 4);
  header.descriptors = get<std::uint8_t>(head_.data() + 5);
  if (get<std::uint16_t>(head_.data() + 6) != 0) return malformed("reserved bits are set");
  head_.clear();
  if (header.descriptors > limits_.descriptors)
    return failure(ErrorCode::too_large, fmt::format("{} descriptors in one frame, {} allowed",
                                                     header.descriptors, limits_.descriptors));
  if (header.kind == message_frame) {
    if (filling_) return malformed("a message before the last one's attachments are complete");
    if (header.length < sizeof(std::uint32_t)) return malformed("a message shorter than its own head");
    if (header.length > limits_.message_bytes)
      return failure(ErrorCode::too_large,
                     fmt::format("a message of {} bytes, {} allowed", header.length, limits_.message_bytes));
  } else if (header.kind == chunk_frame) {
    if (!filling_) return malformed("a chunk without an attachment to go to");
    if (header.length == 0) return malformed("an empty chunk");
    if (header.descriptors != 0) return malformed("descriptors on a chunk");
    if (header.length > limits_.chunk_bytes)
      return failure(ErrorCode::too_large,
                     fmt::format("a chunk of {} bytes, {} allowed", header.length, limits_.chunk_bytes));
    if (header.length > sizes_[attachment_] - partial_.attachments[attachment_].size())
      return malformed("a chunk longer than what its attachment lacks");
    chunk_left_ = header.length;
  } else {
    return malformed(fmt::format("unknown kind {}", header.kind));
  }
  announced_descriptors_ += header.descriptors;
  header_ = header;
  return {};
}

Result<> Decoder::take_message() {
  const auto count = get<std::uint32_t>(head_.data());
  std::size_t offset = sizeof(std::uint32_t);
  if (count > limits_.attachments)
    return failure(ErrorCode::too_large,
                   fmt::format("{} attachments, {} allowed", count, limits_.attachments));
  if (head_.size() - offset < count * sizeof(std::uint64_t))
    return malformed("fewer attachment sizes than announced");
  std::uint64_t total = 0;
  sizes_.clear();
  for (std::uint32_t i = 0; i < count; ++i, offset += sizeof(std::uint64_t)) {
    const auto size = get<std::uint64_t>(head_.data() + offset);
    if (size > limits_.attachment_bytes - total)
      return failure(ErrorCode::too_large,
                     fmt::format("attachments of more than {} bytes together", limits_.attachment_bytes));
    total += size;
    sizes_.push_back(size);
  }
  partial_ = Parcel{};
  partial_.descriptors = header_->descriptors;
  partial_.message.assign(text_of(ByteView(head_).subspan(offset)));
  partial_.attachments.resize(count);
  head_.clear();
  header_.reset();
  attachment_ = 0;
  filling_ = true;
  skip_full_attachments();
  return {};
}

void Decoder::take_chunk_bytes(ByteView& bytes) {
  Bytes& to = partial_.attachments[attachment_];
  const std::size_t before = to.size();
  reserve_first(to);
  move_bytes(to, bytes, chunk_left_);
  chunk_bytes_taken(to.size() - before);
}

// Room for an attachment grows with the bytes that really arrive, and the first is made when its first bytes
// come: a sender that announces 256 MiB, in one attachment or in thousands, costs this much ahead at most.
void Decoder::reserve_first(Bytes& to) const {
  if (to.empty()) to.reserve(std::min<std::uint64_t>(sizes_[attachment_], limits_.reservation));
}

void Decoder::chunk_bytes_taken(std::size_t size) {
  chunk_left_ -= static_cast<std::uint32_t>(size);
  if (chunk_left_ != 0) return;
  header_.reset();
  skip_full_attachments();
}

std::span<std::byte> Decoder::room(std::size_t least, std::size_t most) {
  if (!header_ || header_->kind != chunk_frame || chunk_left_ < least) return {};
  Bytes& to = partial_.attachments[attachment_];
  const std::size_t before = to.size();
  reserve_first(to);
  roomy_ = std::min<std::size_t>(chunk_left_, most);
  to.resize(before + roomy_);
  return std::span(to).subspan(before);
}

void Decoder::filled(std::size_t size) {
  Bytes& to = partial_.attachments[attachment_];
  to.resize(to.size() - std::exchange(roomy_, 0) + size);
  chunk_bytes_taken(size);
}

void Decoder::skip_full_attachments() {
  while (attachment_ < sizes_.size() && partial_.attachments[attachment_].size() == sizes_[attachment_])
    ++attachment_;
  if (attachment_ < sizes_.size()) return;
  filling_ = false;
  done_.push_back(std::move(partial_));
}

Result<> Decoder::feed(ByteView bytes) {
  while (!bytes.empty()) {
    if (!header_) {
      move_bytes(head_, bytes, frame_header_bytes - head_.size());
      if (head_.size() < frame_header_bytes) break;
      SOCKSWAP_CHECK(take_header());
    } else if (header_->kind == message_frame) {
      move_bytes(head_, bytes, header_->length - head_.size());
      if (head_.size() < header_->length) break;
      SOCKSWAP_CHECK(take_message());
    } else {
      take_chunk_bytes(bytes);
    }
  }
  return {};
}

std::optional<Parcel> Decoder::next() {
  if (taken_ == done_.size()) {
    done_.clear();
    taken_ = 0;
    return std::nullopt;
  }
  return std::move(done_[taken_++]);
}

}  // namespace sockswap::wire
