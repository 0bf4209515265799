#include "socket/reconcile.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace sockswap::socket {
namespace {

Result<> check_direction(const Position& sender, const Position& receiver) {
  const std::int32_t acknowledged = receiver.rcv_nxt.since(sender.snd_una);
  if (acknowledged >= 0 && acknowledged <= sender.snd_nxt.since(sender.snd_una)) return {};
  return failure(
      ErrorCode::disagreement,
      fmt::format("one end has received up to {}, the other has sent {} to {}", receiver.rcv_nxt.value(),
                  sender.snd_una.value(), sender.snd_nxt.value()),
      "nothing was changed; if trying again says the same, one of the two hosts doesn't tell the truth");
}

// snd_una moves up; the window's right edge, snd_una + snd_wnd, stays where the other end put it.
void advance_snd_una(Image& image, std::uint32_t bytes) {
  image.position.snd_una = image.position.snd_una + bytes;
  image.window.snd_wnd -= std::min(image.window.snd_wnd, bytes);
}

}  // namespace

Result<> check_agreement(const Position& a, const Position& b) {
  SOCKSWAP_CHECK(check_direction(a, b));
  return check_direction(b, a);
}

Bytes take_in_flight(Image& image) {
  advance_snd_una(image, static_cast<std::uint32_t>(image.sent.size()));
  return std::exchange(image.sent, {});
}

Result<> append_in_flight(Image& image, Sequence from, ByteView in_flight) {
  const std::int32_t known = image.position.rcv_nxt.since(from);
  if (known < 0 || static_cast<std::size_t>(known) > in_flight.size())
    return failure(ErrorCode::disagreement,
                   fmt::format("received up to {}, in flight were {} bytes from {}",
                               image.position.rcv_nxt.value(), in_flight.size(), from.value()));
  const ByteView fresh = in_flight.subspan(static_cast<std::size_t>(known));
  append(image.received, fresh);
  // rcv_wup and rcv_wnd stay: so does the right edge that was promised.
  image.position.rcv_nxt = image.position.rcv_nxt + static_cast<std::uint32_t>(fresh.size());
  return {};
}

Result<> cut_sent(Image& image, Sequence other_rcv_nxt) {
  const std::int32_t known = other_rcv_nxt.since(image.position.snd_una);
  if (known < 0 || static_cast<std::size_t>(known) > image.sent.size())
    return failure(
        ErrorCode::disagreement,
        fmt::format("the other end has received up to {}, this one has sent {} to {}", other_rcv_nxt.value(),
                    image.position.snd_una.value(), image.position.snd_nxt.value()));
  const auto acknowledged = static_cast<std::size_t>(known);
  if (acknowledged < image.sent.size()) {
    Bytes again;
    again.reserve(image.sent.size() - acknowledged + image.unsent.size());
    append(again, ByteView(image.sent).subspan(acknowledged));
    append(again, image.unsent);
    image.unsent = std::move(again);
  }
  image.sent.clear();
  advance_snd_una(image, static_cast<std::uint32_t>(acknowledged));
  image.position.snd_nxt = image.position.snd_una;
  return {};
}

}  // namespace sockswap::socket
