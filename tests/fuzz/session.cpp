// What a host may send: frames in pieces, messages, and the images in them. Nothing here may crash, hang or
// allocate much more than it was sent; what is accepted must be consistent.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "move/images.h"
#include "wire/decoder.h"
#include "wire/session.pb.h"

using sockswap::Bytes;
using sockswap::ByteView;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  // The first byte chooses how large the pieces are.
  const std::size_t piece = data[0] == 0 ? size : data[0];
  ByteView rest(reinterpret_cast<const std::byte*>(data + 1), size - 1);
  sockswap::wire::Decoder decoder;
  while (!rest.empty()) {
    const std::size_t now = std::min(piece, rest.size());
    if (!decoder.feed(rest.first(now))) return 0;
    rest = rest.subspan(now);
    while (auto parcel = decoder.next()) {
      sockswap::wire::Message message;
      if (!message.ParseFromString(parcel->message)) continue;
      for (const auto& image : message.deliver().images()) {
        Bytes received = parcel->attachments.empty() ? Bytes{} : parcel->attachments.front();
        Bytes unsent = parcel->attachments.empty() ? Bytes{} : parcel->attachments.back();
        const auto read = sockswap::move::from_message(image, std::move(received), std::move(unsent));
        if (read && !sockswap::socket::validate(*read)) std::abort();
      }
    }
  }
  return 0;
}
