#include "move/journal_log.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <charconv>
#include <cstring>

namespace sockswap::move {
namespace {

constexpr std::string_view magic = "sockswap journal 1\n";
constexpr std::size_t prefix = 8;  // length and checksum

std::uint32_t read_u32(ByteView from) {
  std::uint32_t value = 0;
  std::memcpy(&value, from.data(), sizeof value);
  return ntohl(value);
}

void write_u32(std::byte* to, std::uint32_t value) {
  value = htonl(value);
  std::memcpy(to, &value, sizeof value);
}

std::uint32_t checksum(ByteView length, ByteView record) {
  const auto add = [](uLong sum, ByteView bytes) {
    return ::crc32_z(sum, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size());
  };
  return static_cast<std::uint32_t>(add(add(::crc32_z(0, nullptr, 0), length), record));
}

}  // namespace

Bytes journal_header(std::string_view life, std::uint32_t generation) {
  const std::string text = fmt::format("{}{} {:08x}\n", magic, life, generation);
  const ByteView bytes = std::as_bytes(std::span(text));
  return {bytes.begin(), bytes.end()};
}

void append(Bytes& log, const JournalRecord& record) {
  const std::size_t at = log.size(), size = record.ByteSizeLong();
  log.resize(at + prefix + size);
  std::byte* const to = log.data() + at;
  write_u32(to, static_cast<std::uint32_t>(size));
  record.SerializeWithCachedSizesToArray(reinterpret_cast<std::uint8_t*>(to + prefix));
  write_u32(to + 4, checksum({to, 4}, {to + prefix, size}));
}

Result<Replay> replay(ByteView log, std::string_view life) {
  const std::size_t header = journal_header(life, 0).size(), digits = 8;
  Replay out;
  if (log.size() >= header) {
    const std::string_view number = text_of(log).substr(header - digits - 1, digits);
    std::from_chars(number.data(), number.data() + digits, out.generation, 16);
  }
  if (out.generation == 0 || !std::ranges::equal(log.first(header), journal_header(life, out.generation)))
    return failure(ErrorCode::disagreement, "the journal isn't of this life");
  ByteView rest = log.subspan(header);
  while (rest.size() >= prefix) {
    const std::uint32_t length = read_u32(rest);
    if (length > rest.size() - prefix) break;
    const ByteView bytes = rest.subspan(prefix, length);
    if (checksum(rest.first(4), bytes) != read_u32(rest.subspan(4))) break;
    JournalRecord record;
    if (!record.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) break;
    rest = rest.subspan(prefix + length);
    const auto id = MoveId::from_bytes(record.move_id());
    const wire::Role role = role_of(record);
    if (!id || role == wire::NO_ROLE) continue;
    Records& records = out.open[{*id, role}];
    if (is_last(record)) {
      if (role == wire::DESTINATION && find(records, JournalRecord::kDestinationLive) == nullptr)
        out.dropped.insert(*id);
      out.open.erase({*id, role});
    } else {
      records.push_back(std::move(record));
    }
  }
  out.whole = log.size() - rest.size();
  out.torn = !rest.empty();
  return out;
}

}  // namespace sockswap::move
