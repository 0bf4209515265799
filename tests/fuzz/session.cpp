// What a host may send: frames in pieces, messages, and what is in them. Nothing here may crash, hang or
// allocate much more than it was sent; what is accepted must be consistent.
#include "input.h"
#include "move/id.h"
#include "move/images.h"
#include "quiet.h"
#include "wire/decoder.h"
#include "wire/endpoints.h"
#include "wire/errors.h"
#include "wire/session.pb.h"

namespace sockswap::fuzz {
namespace {

template <class Message>
void check_place(const Message& message) {
  const auto read = wire::from_message(message);
  if (!read) return;
  Message written;
  wire::to_message(*read, written);
  const auto again = wire::from_message(written);
  require(again && *again == *read, "an address or a 4-tuple survives its message");
}

void check_error(const wire::Error& message) {
  const Error error = wire::from_message(message);
  require(error.code != ErrorCode::ok, "no error says ok");
  require(!name(error.code).empty(), "each code has a name");
}

void check_images(const wire::Deliver& deliver, std::vector<Bytes>& attachments) {
  for (int i = 0; i < deliver.images_size(); ++i) {
    const std::size_t at = 2 * static_cast<std::size_t>(i);
    Bytes received = at < attachments.size() ? std::move(attachments[at]) : Bytes{};
    Bytes unsent = at + 1 < attachments.size() ? std::move(attachments[at + 1]) : Bytes{};
    const auto read = move::from_message(deliver.images(i), std::move(received), std::move(unsent));
    require(!read || socket::validate(*read), "an image that is read is sound");
  }
}

void check(const wire::Message& message, std::vector<Bytes>& attachments) {
  if (const auto id = move::MoveId::from_bytes(message.move_id()))
    require(id->bytes() == message.move_id() && id->text().size() == 32, "a move's name survives");
  check_error(message.goodbye().error());
  check_error(message.undo().reason());
  check_error(message.refuse().error());
  check_error(message.fetch_refused().error());
  for (const auto* lost :
       {&message.swapped().lost(), &message.activate().lost(), &message.activated().lost()})
    for (const wire::LostEnd& end : *lost) check_error(end.error());
  for (const auto& end : message.offer().ends()) {
    check_place(end.tuple());
    check_place(end.remote());
    if (const auto family = move::family_from_message(end.family()))
      require(move::to_message(*family) == end.family(), "a family survives");
  }
  for (const wire::Endpoint& local : message.accept().locals()) check_place(local);
  for (const auto& end : message.find().ends()) check_place(end.tuple());
  for (const auto& end : message.hold().ends()) {
    check_place(end.new_local());
    check_place(end.new_remote());
  }
  check_images(message.deliver(), attachments);
}

}  // namespace
}  // namespace sockswap::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sockswap;
  if (size == 0) return 0;
  // The first byte chooses how large the pieces are.
  const std::size_t piece = data[0] == 0 ? size : data[0];
  ByteView rest(reinterpret_cast<const std::byte*>(data + 1), size - 1);
  wire::Decoder decoder;
  while (!rest.empty()) {
    const std::size_t now = std::min(piece, rest.size());
    if (!decoder.feed(rest.first(now))) return 0;
    rest = rest.subspan(now);
    while (auto parcel = decoder.next()) {
      wire::Message message;
      if (message.ParseFromString(parcel->message)) fuzz::check(message, parcel->attachments);
    }
  }
  return 0;
}
