#include "lab/wire_lane.h"

#include <unistd.h>

#include <algorithm>
#include <array>

namespace sockswap::lab {
namespace {

constexpr int kFramesAtOnce = 64;
// Above what one core can carry in a second of delay; a wire that holds more is being flooded.
constexpr std::size_t kCapacity = std::size_t{256} << 20;
constexpr std::size_t kLargestFrame = 65536 + 18;

}  // namespace

void Wire::Lane::take_in(const LinkQuality& quality, Time now) {
  static thread_local std::array<std::byte, kLargestFrame> buffer;
  for (int i = 0; i < kFramesAtOnce; ++i) {
    const ssize_t length = ::read(from_, buffer.data(), buffer.size());
    if (length <= 0) return;  // EAGAIN, or a tap that is down
    accept({buffer.data(), static_cast<std::size_t>(length)}, quality, now);
  }
}

void Wire::Lane::accept(ByteView frame, const LinkQuality& quality, Time now) {
  ++seen_;
  const Fate fate = impairment_.decide(quality);
  if (fate.copies == 0) {
    ++lost_;
    return;
  }
  if (fate.copies > 1) ++duplicated_;
  Time due = now + fate.hold;
  if (fate.overtaken) {
    ++overtaken_;
  } else {
    due = std::max(due, latest_);
    latest_ = due;
  }
  for (int copy = 0; copy < fate.copies; ++copy) {
    if (due <= now && under_way_.empty()) {
      send(frame);
    } else if (bytes_under_way_ + frame.size() > kCapacity) {
      ++overflowed_;
    } else {
      under_way_.push({due, order_++, Bytes(frame.begin(), frame.end())});
      bytes_under_way_ += frame.size();
    }
  }
}

void Wire::Lane::let_out(Time now) {
  while (!under_way_.empty() && under_way_.top().due <= now) {
    send(under_way_.top().bytes);
    bytes_under_way_ -= under_way_.top().bytes.size();
    under_way_.pop();
  }
}

void Wire::Lane::send(ByteView frame) {
  // A tap takes a frame whole or not at all; one that is down loses it, as a dead cable does.
  if (::write(to_, frame.data(), frame.size()) == static_cast<ssize_t>(frame.size())) ++delivered_;
}

std::optional<Wire::Lane::Time> Wire::Lane::next() const {
  if (under_way_.empty()) return std::nullopt;
  return under_way_.top().due;
}

WireStatistics Wire::Lane::statistics() const {
  return {.seen = seen_,
          .delivered = delivered_,
          .lost = lost_,
          .duplicated = duplicated_,
          .overtaken = overtaken_,
          .overflowed = overflowed_};
}

}  // namespace sockswap::lab
