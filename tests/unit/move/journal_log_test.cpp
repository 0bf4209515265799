// The journal as bytes: what comes back of it, whole, cut off anywhere, or of another life.
#include "move/journal_log.h"

#include <gtest/gtest.h>

namespace sockswap::move {
namespace {

const std::string life = "0123abcd-0123-4567-89ab-0123456789ab";

MoveId id_of(std::uint8_t number) {
  MoveId id;
  id.octets.fill(number);
  return id;
}

JournalRecord holding(std::uint8_t number) {
  JournalRecord record = record_of(id_of(number));
  record.mutable_peer_holding()->set_origin("alpha");
  return record;
}

JournalRecord mark(std::uint8_t number, void (*set)(JournalRecord&)) {
  JournalRecord record = record_of(id_of(number));
  set(record);
  return record;
}

TEST(JournalLog, GivesBackTheOpenPartsInOrder) {
  Bytes log = journal_header(life, 3);
  append(log, holding(1));
  append(log, holding(2));
  append(log, mark(1, [](JournalRecord& r) { r.mutable_peer_held(); }));
  append(log, mark(2, [](JournalRecord& r) { r.mutable_peer_finished(); }));
  append(log,
         mark(1, [](JournalRecord& r) { r.mutable_origin_deciding(); }));  // another part of the same move
  const auto replayed = replay(log, life);
  ASSERT_TRUE(replayed);
  EXPECT_EQ(replayed->generation, 3U);
  EXPECT_EQ(replayed->whole, log.size());
  EXPECT_FALSE(replayed->torn);
  ASSERT_EQ(replayed->open.size(), 2U);
  const Records& peer = replayed->open.at({id_of(1), wire::PEER});
  ASSERT_EQ(peer.size(), 2U);
  EXPECT_EQ(peer[0].peer_holding().origin(), "alpha");
  EXPECT_TRUE(peer[1].has_peer_held());
  EXPECT_EQ(replayed->open.at({id_of(1), wire::ORIGIN}).size(), 1U);
}

// A daemon that is killed in the midst of a record: at every byte, the records before it are all that counts.
TEST(JournalLog, EndsAtARecordThatIsntWhole) {
  Bytes log = journal_header(life, 1);
  append(log, holding(1));
  const std::size_t first = log.size();
  append(log, mark(1, [](JournalRecord& r) { r.mutable_peer_finished(); }));
  for (std::size_t size = first; size < log.size(); ++size) {
    const auto replayed = replay(ByteView(log).first(size), life);
    ASSERT_TRUE(replayed);
    EXPECT_EQ(replayed->whole, first);
    EXPECT_EQ(replayed->torn, size > first);
    EXPECT_EQ(replayed->open.size(), 1U) << "the end of the part was believed at " << size;
  }
  EXPECT_TRUE(replay(log, life)->open.empty());
}

TEST(JournalLog, DoesntBelieveAChangedRecord) {
  Bytes log = journal_header(life, 1);
  const std::size_t header = log.size();
  append(log, holding(1));
  for (std::size_t at = header; at < log.size(); ++at) {
    Bytes changed = log;
    changed[at] ^= std::byte{1};
    const auto replayed = replay(changed, life);
    ASSERT_TRUE(replayed);
    EXPECT_TRUE(replayed->open.empty() && replayed->torn) << at;
  }
}

TEST(JournalLog, IsVoidInAnotherLifeAndWhileItIsMade) {
  Bytes log = journal_header(life, 1);
  append(log, holding(1));
  EXPECT_FALSE(replay(log, "ffffabcd-0123-4567-89ab-0123456789ab"));
  EXPECT_FALSE(replay(journal_header(life, 0), life));
  EXPECT_FALSE(replay(ByteView(log).first(20), life));
  EXPECT_FALSE(replay({}, life));
}

TEST(JournalLog, RemembersWhatADestinationDropped) {
  Bytes log = journal_header(life, 1);
  const auto reserved = [](JournalRecord& r) { r.mutable_destination_reserved(); };
  const auto finished = [](JournalRecord& r) { r.mutable_destination_finished(); };
  append(log, mark(1, reserved));
  append(log, mark(1, finished));
  append(log, mark(2, reserved));
  append(log, mark(2, [](JournalRecord& r) { r.mutable_destination_live(); }));
  append(log, mark(2, finished));
  EXPECT_EQ(replay(log, life)->dropped, std::set<MoveId>{id_of(1)});
}

}  // namespace
}  // namespace sockswap::move
