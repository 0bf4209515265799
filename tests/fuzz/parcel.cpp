// The framing of both protocols. The same bytes in pieces of any size give the same parcels and the same
// verdict; what decodes encodes again to the same; a sender costs no more memory than it has sent bytes for.
#include <vector>

#include "input.h"
#include "wire/decoder.h"
#include "wire/encoder.h"

namespace sockswap::fuzz {
namespace {

// The worst is a parcel of 12 bytes: a struct of 64 in a vector that has just doubled, and the one here.
constexpr std::size_t kMostPerByte = 40;
constexpr std::size_t kReservedAhead =
    (1 << 20) + (1 << 16);  // for an attachment, before its bytes are there

struct Decoded {
  std::vector<wire::Parcel> parcels;
  bool sound = true;
  bool cut = false;
  std::uint64_t descriptors = 0;
};

Decoded decode(ByteView bytes, std::size_t piece, const wire::Limits& limits) {
  const std::size_t before = allocated();
  Decoded out;
  wire::Decoder decoder(limits);
  for (std::size_t fed = 0; out.sound && fed < bytes.size();) {
    const ByteView now = bytes.subspan(fed, std::min(piece, bytes.size() - fed));
    fed += now.size();
    out.sound = decoder.feed(now).has_value();
    while (auto parcel = decoder.next()) out.parcels.push_back(std::move(*parcel));
    require(allocated() <= before + kReservedAhead + kMostPerByte * fed,
            "memory is bounded by what was sent");
  }
  out.cut = decoder.mid_parcel();
  out.descriptors = decoder.announced_descriptors();
  return out;
}

bool same(const wire::Parcel& a, const wire::Parcel& b) {
  return a.message == b.message && a.attachments == b.attachments && a.descriptors == b.descriptors;
}
bool same(const Decoded& a, const Decoded& b) {
  return a.sound == b.sound && (!a.sound || a.cut == b.cut) && a.descriptors == b.descriptors &&
         std::equal(a.parcels.begin(), a.parcels.end(), b.parcels.begin(), b.parcels.end(),
                    [](const auto& x, const auto& y) { return same(x, y); });
}

void check_limits(const wire::Parcel& parcel, const wire::Limits& limits) {
  std::uint64_t total = 0;
  for (const Bytes& attachment : parcel.attachments) total += attachment.size();
  require(parcel.message.size() < limits.message_bytes && parcel.attachments.size() <= limits.attachments &&
              total <= limits.attachment_bytes && parcel.descriptors <= limits.descriptors,
          "no parcel exceeds the limits");
}

void check_encoding(const wire::Parcel& parcel, const wire::Limits& limits) {
  Bytes encoded;
  const std::vector<ByteView> views(parcel.attachments.begin(), parcel.attachments.end());
  wire::encode(encoded, parcel.message, views, parcel.descriptors, limits);
  const Decoded again = decode(encoded, encoded.size(), limits);
  require(again.sound && !again.cut && again.parcels.size() == 1 && same(again.parcels.front(), parcel),
          "what decodes, encodes again to the same");
}

}  // namespace
}  // namespace sockswap::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sockswap;
  using namespace sockswap::fuzz;
  Input input(data, size);
  const std::size_t piece = input.byte() + std::size_t{1};
  // Small limits, so that they are met.
  const bool small = input.byte() % 2 == 1;
  const wire::Limits limits = small ? wire::Limits{.message_bytes = 64,
                                                   .chunk_bytes = 16,
                                                   .attachments = 4,
                                                   .attachment_bytes = 40,
                                                   .descriptors = 3}
                                    : wire::Limits{};
  const ByteView bytes = input.all();
  const Decoded whole = decode(bytes, std::max<std::size_t>(bytes.size(), 1), limits);
  require(same(whole, decode(bytes, piece, limits)), "pieces of any size give the same");
  for (const wire::Parcel& parcel : whole.parcels) {
    check_limits(parcel, limits);
    check_encoding(parcel, limits);
  }
  return 0;
}
