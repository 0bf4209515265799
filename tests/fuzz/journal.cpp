// The journal that a daemon finds when it starts: cut off, mangled, or of somebody else's making. What is
// read must be what reading it again gives, and no machine may fall over its records.
#include "input.h"
#include "move/destination.h"
#include "move/journal_log.h"
#include "move/origin.h"
#include "move/peer.h"
#include "quiet.h"

namespace sockswap::fuzz {
namespace {

const std::string life = "0123abcd-0123-4567-89ab-0123456789ab";

void check(ByteView log) {
  const auto replayed = move::replay(log, life);
  if (!replayed) return;
  require(replayed->whole <= log.size(), "no more is whole than there is");
  require(replayed->torn == (replayed->whole < log.size()), "torn is what isn't whole");
  const auto again = move::replay(log.first(replayed->whole), life);
  require(again && !again->torn && again->open.size() == replayed->open.size(), "the whole part reads alike");
  for (const auto& [key, records] : replayed->open) {
    require(!records.empty(), "a part has records");
    if (key.second == wire::ORIGIN) {
      if (auto origin = move::Origin::restore(records)) origin->resume();
    } else if (key.second == wire::DESTINATION) {
      if (auto destination = move::Destination::restore(records)) destination->resume();
    } else if (auto peer = move::Peer::restore("alpha", records)) {
      peer->resume();
    }
  }
}

}  // namespace
}  // namespace sockswap::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sockswap;
  const ByteView input = std::as_bytes(std::span(data, size));
  fuzz::check(input);
  // Behind a right header, and as records with right checksums: a length byte before each.
  Bytes log = move::journal_header(fuzz::life, 1);
  log.insert(log.end(), input.begin(), input.end());
  fuzz::check(log);
  Bytes records = move::journal_header(fuzz::life, 1);
  for (ByteView rest = input; rest.size() > 1;) {
    const std::size_t length = std::min(std::to_integer<std::size_t>(rest[0]), rest.size() - 1);
    move::JournalRecord record;
    if (record.ParseFromArray(rest.data() + 1, static_cast<int>(length))) move::append(records, record);
    rest = rest.subspan(1 + length);
  }
  fuzz::check(records);
  return 0;
}
