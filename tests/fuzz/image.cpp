// One end's image from its message, and what is computed from images of two hosts that may lie.
#include "input.h"
#include "move/images.h"
#include "socket/reconcile.h"
#include "wire/session.pb.h"

namespace sockswap::fuzz {
namespace {

void check_round_trip(const socket::Image& image) {
  wire::Image message;
  move::to_message(image, message);
  const auto again = move::from_message(message, image.received, image.unsent);
  require(again && *again == image, "an image survives its message");
}

// As the protocol does it: each function gets an image that validate() has let pass, and figures of the
// other host, of which nobody has checked anything.
void check_reconciling(const socket::Image& image, const socket::Position& other, ByteView in_flight) {
  static_cast<void>(socket::check_agreement(image.position, other));
  socket::Image taking = image;
  if (socket::append_in_flight(taking, other.snd_una, in_flight))
    require(taking.received.size() >= image.received.size() &&
                taking.received.size() <= image.received.size() + in_flight.size() &&
                taking.position.rcv_nxt ==
                    image.position.rcv_nxt +
                        static_cast<std::uint32_t>(taking.received.size() - image.received.size()),
            "what is appended is what rcv_nxt counts");
  socket::Image cut = image;
  const std::size_t held = image.sent.size() + image.unsent.size();
  if (socket::cut_sent(cut, other.rcv_nxt)) {
    require(cut.sent.empty() && cut.unsent.size() <= held, "nothing is in flight any more");
    require(cut.position.snd_una == other.rcv_nxt && cut.position.snd_nxt == other.rcv_nxt &&
                cut.position.write_end == image.position.write_end,
            "the stream goes on where the other end stands");
  }
  socket::Image moving = image;
  const Bytes taken = socket::take_in_flight(moving);
  require(taken == image.sent && moving.sent.empty() && moving.position.snd_una == moving.position.snd_nxt,
          "everything in flight is taken");
}

}  // namespace
}  // namespace sockswap::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sockswap;
  using namespace sockswap::fuzz;
  Input input(data, size);
  const std::uint8_t flags = input.byte();
  const auto queue = [&] {
    const ByteView view = input.take(input.byte());
    return Bytes(view.begin(), view.end());
  };
  const Bytes received = queue();
  const Bytes unsent = queue();
  const ByteView sent = input.take(input.byte());
  const socket::Position other{.snd_una = socket::Sequence(input.u32()),
                               .snd_nxt = socket::Sequence(input.u32()),
                               .write_end = socket::Sequence(input.u32()),
                               .rcv_nxt = socket::Sequence(input.u32())};
  wire::Image message;
  if (!message.ParseFromString(std::string(text_of(input.all())))) return 0;
  if (flags & 1) {  // chance alone would hardly ever find queues that fit
    auto& position = *message.mutable_position();
    position.set_snd_nxt(position.snd_una());
    position.set_write_end(position.snd_una() + static_cast<std::uint32_t>(unsent.size()));
  }
  auto image = move::from_message(message, received, unsent);
  if (!image) return 0;
  require(socket::validate(*image).has_value(), "an image that is read is sound");
  check_round_trip(*image);
  // A staying end's own image has bytes in flight; the message never has.
  image->sent.assign(sent.begin(), sent.end());
  image->position.snd_una = image->position.snd_nxt - static_cast<std::uint32_t>(sent.size());
  if (socket::validate(*image)) check_reconciling(*image, other, sent);
  return 0;
}
