// Parcels through the encoder and the decoder, in pieces of any size, and everything that a decoder refuses.
#include "wire/decoder.h"

#include <gtest/gtest.h>
#include <malloc.h>

#include "support/ramp.h"
#include "wire/encoder.h"

namespace sockswap::wire {
namespace {

Bytes encoded(std::string_view message, const std::vector<Bytes>& attachments = {},
              std::uint8_t descriptors = 0) {
  Bytes out;
  const std::vector<ByteView> views(attachments.begin(), attachments.end());
  encode(out, message, views, descriptors);
  return out;
}

// A frame's header with whatever is in it.
Bytes header(std::uint32_t length, std::uint8_t kind, std::uint8_t descriptors = 0,
             std::uint16_t reserved = 0) {
  Bytes out;
  for (const int shift : {24, 16, 8, 0}) out.push_back(static_cast<std::byte>(length >> shift));
  out.push_back(static_cast<std::byte>(kind));
  out.push_back(static_cast<std::byte>(descriptors));
  out.push_back(static_cast<std::byte>(reserved >> 8));
  out.push_back(static_cast<std::byte>(reserved));
  return out;
}

ErrorCode refusal(ByteView bytes, const Limits& limits = {}) {
  Decoder decoder(limits);
  const auto fed = decoder.feed(bytes);
  return fed ? ErrorCode::ok : fed.error().code;
}

TEST(Decoder, TheExampleOfTheSpecification) {
  const Bytes bytes = encoded("hi", {bytes_of("abc")});
  const Bytes wanted = [] {
    Bytes out;
    for (const int octet : std::initializer_list<int>{
             0, 0, 0, 14, 1, 0, 0, 0,                             // message frame, 14 bytes
             0, 0, 0, 1,  0, 0, 0, 0, 0,   0,   0,  3, 'h', 'i',  // one attachment of 3 bytes
             0, 0, 0, 3,  2, 0, 0, 0, 'a', 'b', 'c'})             // chunk frame
      out.push_back(static_cast<std::byte>(octet));
    return out;
  }();
  EXPECT_EQ(bytes, wanted);
}

TEST(Decoder, PiecesOfAnySizeGiveTheSameParcels) {
  const std::vector<Bytes> attachments{test::ramp(0, 700'000), {}, test::ramp(5, 3)};
  Bytes stream = encoded("first", attachments, 2);
  append(stream, encoded(""));
  append(stream, encoded("third", {Bytes{}}));
  for (const std::size_t piece :
       {std::size_t{1}, std::size_t{7}, std::size_t{8}, std::size_t{4096}, stream.size()}) {
    Decoder decoder;
    std::vector<Parcel> parcels;
    for (ByteView rest = stream; !rest.empty();) {
      const std::size_t size = std::min(piece, rest.size());
      ASSERT_TRUE(decoder.feed(rest.first(size)));
      rest = rest.subspan(size);
      while (auto parcel = decoder.next()) parcels.push_back(std::move(*parcel));
    }
    ASSERT_EQ(parcels.size(), 3u) << "in pieces of " << piece;
    EXPECT_EQ(parcels[0].message, "first");
    EXPECT_EQ(parcels[0].attachments, attachments);
    EXPECT_EQ(parcels[0].descriptors, 2);
    EXPECT_EQ(parcels[1].message, "");
    EXPECT_EQ(parcels[2].attachments.size(), 1u);
    EXPECT_EQ(decoder.announced_descriptors(), 2u);
    EXPECT_FALSE(decoder.mid_parcel());
  }
}

TEST(Decoder, KnowsThatAParcelIsHalfRead) {
  const Bytes stream = encoded("message", {test::ramp(0, 100)});
  for (std::size_t cut = 1; cut < stream.size(); ++cut) {
    Decoder decoder;
    ASSERT_TRUE(decoder.feed(ByteView(stream).first(cut)));
    EXPECT_TRUE(decoder.mid_parcel()) << "cut at " << cut;
    EXPECT_FALSE(decoder.next());
  }
}

TEST(Decoder, RefusesWhatNoEncoderSends) {
  const Bytes message = encoded("m", {test::ramp(0, 10)});
  const Bytes open = Bytes(message.begin(), message.end() - 18);  // without its chunk frame
  const auto after_open = [&](Bytes frame) {
    Bytes out = open;
    append(out, frame);
    return out;
  };
  EXPECT_EQ(refusal(open), ErrorCode::ok);
  EXPECT_EQ(refusal(header(4, 3)), ErrorCode::internal) << "an unknown kind";
  EXPECT_EQ(refusal(header(4, 0)), ErrorCode::internal) << "kind 0";
  EXPECT_EQ(refusal(header(3, message_frame)), ErrorCode::internal) << "shorter than its own head";
  EXPECT_EQ(refusal(header(4, message_frame, 0, 1)), ErrorCode::internal) << "reserved bits";
  EXPECT_EQ(refusal(header(1, chunk_frame)), ErrorCode::internal) << "a chunk without an attachment";
  EXPECT_EQ(refusal(after_open(header(4, message_frame))), ErrorCode::internal)
      << "a message in an attachment";
  EXPECT_EQ(refusal(after_open(header(0, chunk_frame))), ErrorCode::internal) << "an empty chunk";
  EXPECT_EQ(refusal(after_open(header(11, chunk_frame))), ErrorCode::internal) << "a chunk that is too long";
  EXPECT_EQ(refusal(after_open(header(1, chunk_frame, 1))), ErrorCode::internal) << "descriptors on a chunk";
  Bytes too_few_sizes = header(4, message_frame);
  append(too_few_sizes, ByteView(encoded("", {Bytes{}})).subspan(8, 4));
  EXPECT_EQ(refusal(too_few_sizes), ErrorCode::internal) << "sizes that aren't there";
}

// Each limit: what is at it passes, one more doesn't.
TEST(Decoder, Limits) {
  Limits limits;
  limits.message_bytes = 64;
  limits.chunk_bytes = 16;
  limits.attachments = 3;
  limits.attachment_bytes = 100;
  limits.descriptors = 2;
  const auto with = [&](std::string_view message, const std::vector<Bytes>& attachments,
                        std::uint8_t descriptors, std::uint32_t chunk) {
    Limits sender;  // generous
    sender.chunk_bytes = chunk;
    Bytes out;
    const std::vector<ByteView> views(attachments.begin(), attachments.end());
    encode(out, message, views, descriptors, sender);
    return refusal(out, limits);
  };
  EXPECT_EQ(with(std::string(60, 'm'), {}, 0, 16), ErrorCode::ok);
  EXPECT_EQ(with(std::string(61, 'm'), {}, 0, 16), ErrorCode::too_large);
  EXPECT_EQ(with("", {Bytes(16)}, 0, 16), ErrorCode::ok);
  EXPECT_EQ(with("", {Bytes(17)}, 0, 17), ErrorCode::too_large);
  EXPECT_EQ(with("", {{}, {}, {}}, 0, 16), ErrorCode::ok);
  EXPECT_EQ(with("", {{}, {}, {}, {}}, 0, 16), ErrorCode::too_large);
  EXPECT_EQ(with("", {Bytes(50), Bytes(50)}, 0, 16), ErrorCode::ok);
  EXPECT_EQ(with("", {Bytes(50), Bytes(51)}, 0, 16), ErrorCode::too_large);
  EXPECT_EQ(with("", {}, 2, 16), ErrorCode::ok);
  EXPECT_EQ(with("", {}, 3, 16), ErrorCode::too_large);
}

Bytes joined(const Gathered& gathered) {
  Bytes out;
  for (const ByteView part : gathered.parts) append(out, part);
  return out;
}

TEST(Gather, IsWhatEncodeMakes) {
  for (const std::size_t chunk : {std::size_t{1000}, std::size_t{1} << 20}) {
    const Limits limits{.chunk_bytes = static_cast<std::uint32_t>(chunk)};
    for (const std::vector<Bytes>& attachments :
         {std::vector<Bytes>{}, {{}}, {test::ramp(0, 2500), {}, test::ramp(7, 1000)}}) {
      const std::vector<ByteView> views(attachments.begin(), attachments.end());
      Bytes encoded_whole;
      encode(encoded_whole, "message", views, 3, limits);
      EXPECT_EQ(joined(gather("message", views, 3, limits)), encoded_whole);
    }
  }
}

// Read into the decoder's own room wherever it has some, in pieces of `piece` bytes.
TEST(Decoder, AttachmentsAreReadStraightIntoTheirPlace) {
  const std::vector<Bytes> attachments{test::ramp(0, 5000), {}, test::ramp(3, 100), test::ramp(9, 7000)};
  const std::vector<ByteView> views(attachments.begin(), attachments.end());
  Bytes stream;
  for (int twice = 0; twice < 2; ++twice) encode(stream, "message", views, 0, keeper_limits);
  for (const std::size_t piece : {std::size_t{1}, std::size_t{999}, std::size_t{100'000}}) {
    Decoder decoder(keeper_limits);
    std::size_t direct = 0;
    for (ByteView rest = stream; !rest.empty();) {
      const std::size_t size = std::min(piece, rest.size());
      if (const auto room = decoder.room(1000, 4000); !room.empty()) {
        const std::size_t taken = std::min(size, room.size());
        std::copy_n(rest.begin(), taken, room.begin());
        decoder.filled(taken);
        rest = rest.subspan(taken);
        direct += taken;
      } else {
        const std::size_t fed = std::min<std::size_t>(size, 200);
        ASSERT_TRUE(decoder.feed(rest.first(fed)));
        rest = rest.subspan(fed);
      }
    }
    EXPECT_GT(direct, 2U * 8000);
    for (int twice = 0; twice < 2; ++twice) {
      const auto parcel = decoder.next();
      ASSERT_TRUE(parcel);
      EXPECT_EQ(parcel->attachments, attachments);
    }
    EXPECT_FALSE(decoder.mid_parcel());
  }
}

// Not by promises: by bytes that came. (A sanitizer's allocator counts nothing here; tests/fuzz/parcel.cpp
// says the same of every input.)
TEST(Decoder, AnnouncedAttachmentsCostNothing) {
  Bytes stream = header(4 + 256 * 8, message_frame);
  append(stream, ByteView(header(256, 0)).first(4));                 // a number, as in a header
  for (int i = 0; i < 256; ++i) append(stream, header(0, 0, 0x10));  // 1 MiB each
  const auto in_use = [] {
    const auto info = ::mallinfo2();
    return info.uordblks + info.hblkhd;
  };
  const std::size_t before = in_use();
  Decoder decoder;
  ASSERT_TRUE(decoder.feed(stream));
  EXPECT_TRUE(decoder.mid_parcel());
  EXPECT_LT(in_use(), before + (1 << 20));
}

}  // namespace
}  // namespace sockswap::wire
