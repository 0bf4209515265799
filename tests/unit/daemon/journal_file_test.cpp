// The journal on a real file system: from one daemon to the next, and when there is no room.
#include "daemon/journal_file.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace sockswap::daemon {
namespace {

namespace fs = std::filesystem;
const std::string life = "0123abcd-0123-4567-89ab-0123456789ab";

class Journal : public ::testing::Test {
 protected:
  Journal() : folder_(fs::temp_directory_path() / fmt::format("sockswap-journal-{}", ::getpid())) {
    fs::create_directories(folder_);
  }
  ~Journal() override { fs::remove_all(folder_); }

  static move::JournalRecord holding(int number, std::size_t size = 10) {
    move::MoveId id;
    id.octets[0] = static_cast<std::uint8_t>(number);
    id.octets[1] = static_cast<std::uint8_t>(number >> 8);
    move::JournalRecord record = move::record_of(id);
    record.mutable_peer_holding()->set_origin(std::string(size, 'x'));
    return record;
  }
  static move::JournalRecord finished(int number) {
    move::JournalRecord record = holding(number);
    record.mutable_peer_finished();
    return record;
  }
  JournalFile open(move::Replay& replay, const std::string& of = life) {
    auto journal = JournalFile::open(folder_, of, replay);
    if (!journal) throw std::runtime_error(journal.error().text());
    return *std::move(journal);
  }

  fs::path folder_;
};

TEST_F(Journal, ComesBackToTheNextDaemon) {
  for (int daemon = 0; daemon < 5; ++daemon) {
    move::Replay replay;
    JournalFile journal = open(replay);
    EXPECT_EQ(replay.open.size(), static_cast<std::size_t>(daemon));
    ASSERT_TRUE(journal.write(holding(2 * daemon), true));
    ASSERT_TRUE(journal.write(holding(2 * daemon + 1), true));
    ASSERT_TRUE(journal.write(finished(2 * daemon + 1), false));
  }
}

TEST_F(Journal, IsVoidWithAnotherKeeper) {
  move::Replay replay;
  ASSERT_TRUE(open(replay).write(holding(1), true));
  move::Replay other;
  JournalFile journal = open(other, "ffffabcd-0123-4567-89ab-0123456789ab");
  EXPECT_TRUE(other.open.empty());
  move::Replay again;
  EXPECT_TRUE((open(again), again.open.empty())) << "and doesn't come back";
}

TEST_F(Journal, GoesOnBehindAPieceOfARecord) {
  move::Replay replay;
  ASSERT_TRUE(open(replay).write(holding(1), true));
  for (const char* name : {"journal", "journal.other"})
    if (fs::file_size(folder_ / name) > 0) std::ofstream(folder_ / name, std::ios::app) << "half a rec";
  move::Replay second;
  ASSERT_TRUE(open(second).write(holding(2), true));
  EXPECT_TRUE(second.torn);
  move::Replay third;
  (void)open(third);
  EXPECT_EQ(third.open.size(), 2U);
  EXPECT_FALSE(third.torn);
}

TEST_F(Journal, IsWrittenAnewWhenItHasGrownTooLong) {
  move::Replay replay;
  JournalFile journal = open(replay);
  ASSERT_TRUE(journal.write(holding(60000), true));
  for (int number = 0; number < 3000; ++number) {
    ASSERT_TRUE(journal.write(holding(number, 10'000), true));
    ASSERT_TRUE(journal.write(finished(number), false));
  }
  EXPECT_LT(fs::file_size(folder_ / "journal") + fs::file_size(folder_ / "journal.other"), 10U << 20);
  move::Replay again;
  (void)open(again);
  ASSERT_EQ(again.open.size(), 1U) << "what is open has come along";
  EXPECT_EQ(again.open.begin()->first.first.octets[0], 60000 & 0xff);
}

// Beyond 4 MiB of what is over, and not at it.
TEST_F(Journal, IsWrittenAnewBeyond4MiB) {
  constexpr std::size_t most_over = 4 << 20;
  move::Replay replay;
  JournalFile journal = open(replay);
  ASSERT_TRUE(journal.write(holding(1), true));
  const auto current = folder_ / (fs::file_size(folder_ / "journal") > 0 ? "journal" : "journal.other");
  const auto other = folder_ / (current.filename() == "journal" ? "journal.other" : "journal");
  const auto length = [](const move::JournalRecord& record) {
    Bytes bytes;
    move::append(bytes, record);
    return bytes.size();
  };
  // Two records of one part, with exactly so much that the file has the limit.
  const std::size_t header = move::journal_header(life, 1).size();
  std::size_t size = most_over - header - length(finished(2)) - length(holding(2, 0)) - 10;
  while (header + length(holding(2, size)) + length(finished(2)) < most_over) ++size;
  ASSERT_EQ(header + length(holding(2, size)) + length(finished(2)), most_over);
  ASSERT_TRUE(journal.write(holding(2, size), true));
  ASSERT_TRUE(journal.write(finished(2), false));
  EXPECT_EQ(fs::file_size(other), 0U) << "at the limit";
  ASSERT_TRUE(journal.write(finished(3), false));
  EXPECT_GT(fs::file_size(other), 0U) << "beyond it";
  move::Replay again;
  (void)open(again);
  EXPECT_EQ(again.open.size(), 1U);
}

TEST_F(Journal, IsNobodyElsesToReadAndFollowsNoLink) {
  const mode_t before = ::umask(0);
  move::Replay replay;
  (void)open(replay);
  ::umask(before);
  for (const char* name : {"journal", "journal.other"}) {
    EXPECT_EQ(fs::status(folder_ / name).permissions(), fs::perms::owner_read | fs::perms::owner_write);
    fs::rename(folder_ / name, folder_ / "elsewhere");
    fs::create_symlink("elsewhere", folder_ / name);
    EXPECT_FALSE(JournalFile::open(folder_, life, replay)) << name;
    fs::remove(folder_ / name);
    fs::rename(folder_ / "elsewhere", folder_ / name);
  }
  EXPECT_TRUE(JournalFile::open(folder_, life, replay)) << "the control";
}

// It is for what is over. A state in an open part, of any length, is written once.
TEST_F(Journal, IsntWrittenAnewForWhatIsOpen) {
  move::Replay replay;
  JournalFile journal = open(replay);
  ASSERT_TRUE(journal.write(holding(1, 8 << 20), true));
  for (int number = 2; number < 100; ++number) ASSERT_TRUE(journal.write(holding(number), true));
  EXPECT_LT(fs::file_size(folder_ / "journal") + fs::file_size(folder_ / "journal.other"), 9U << 20);
}

// A file system of 2 MiB: what begins is refused by name, what ends something still finds its room.
TEST_F(Journal, AFullDiskRefusesWhatBeginsAndNotWhatEnds) {
  ASSERT_EQ(::mount("none", folder_.c_str(), "tmpfs", 0, "size=2m"), 0) << "root is missing?";
  {
    move::Replay replay;
    JournalFile journal = open(replay);
    int number = 0;
    Result<> written;
    while ((written = journal.write(holding(number, 1000), true)) && number < 10'000) ++number;
    ASSERT_FALSE(written) << "it was never full";
    EXPECT_EQ(written.error().code, ErrorCode::no_resources);
    EXPECT_GT(number, 100);
    for (int open_part = 0; open_part < number; ++open_part)
      ASSERT_TRUE(journal.write(finished(open_part), false)) << open_part << " of " << number;
    move::Replay again;
    (void)open(again);
    EXPECT_TRUE(again.open.empty());
  }
  ::umount(folder_.c_str());
}

}  // namespace
}  // namespace sockswap::daemon
