#include "daemon/journal_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "base/log.h"

namespace sockswap::daemon {
namespace {

constexpr std::size_t kept_room = 256 * 1024;   // some thousand records that end something
constexpr std::size_t asked_at_once = 1 << 20;  // of the file system
constexpr std::size_t most_over = 4 << 20;      // of parts that are; a state alone can be longer

Result<Fd> open_file(const std::filesystem::path& path) {
  Fd file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!file) return system_failure(errno, "open " + path.string());
  return file;
}

Result<Bytes> read_all(int file) {
  struct stat about {};
  if (::fstat(file, &about) != 0) return system_failure(errno, "stat the journal");
  Bytes all(static_cast<std::size_t>(about.st_size));
  std::size_t read = 0;
  while (read < all.size()) {
    const ssize_t got = ::pread(file, all.data() + read, all.size() - read, static_cast<off_t>(read));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return system_failure(errno, "read the journal");
    if (got == 0) break;
    read += static_cast<std::size_t>(got);
  }
  all.resize(read);
  return all;
}

Result<> write_at(int file, ByteView bytes, std::size_t at) {
  while (!bytes.empty()) {
    const ssize_t put = ::pwrite(file, bytes.data(), bytes.size(), static_cast<off_t>(at));
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return system_failure(errno, "write the journal", ErrorCode::no_resources);
    bytes = bytes.subspan(static_cast<std::size_t>(put));
    at += static_cast<std::size_t>(put);
  }
  return {};
}

}  // namespace

Result<JournalFile> JournalFile::open(const std::filesystem::path& run, const std::string& life,
                                      move::Replay& replay) {
  std::array<Fd, 2> files;
  SOCKSWAP_TRY(files[0], open_file(run / "journal"));
  SOCKSWAP_TRY(files[1], open_file(run / "journal.other"));
  JournalFile journal(std::move(files), life);
  bool found = false;
  for (std::size_t i = 0; i < journal.files_.size(); ++i) {
    SOCKSWAP_TRY(const Bytes bytes, read_all(journal.files_[i].get()));
    auto read = move::replay(bytes, life);
    if (!read || (found && read->generation < journal.generation_)) continue;
    found = true;
    journal.current_ = i;
    journal.generation_ = read->generation;
    journal.size_ = read->whole;
    if (read->torn) log::info("the journal's last record isn't whole: what was to follow it hasn't happened");
    replay = *std::move(read);
  }
  if (!found) {
    SOCKSWAP_CHECK(journal.begin_anew());
    return journal;
  }
  if (::ftruncate(journal.files_[journal.current_].get(), static_cast<off_t>(journal.size_)) != 0)
    return system_failure(errno, "cut the journal");
  for (const auto& [key, records] : replay.open)
    for (const move::JournalRecord& record : records) {
      Bytes encoded;
      move::append(encoded, record);
      journal.note(record, encoded);
    }
  return journal;
}

// The other file becomes the journal once its header says so.
Result<> JournalFile::begin_anew() {
  const std::size_t other = 1 - current_;
  const int file = files_[other].get();
  Bytes bytes = move::journal_header(life_, 0);
  const std::size_t header = bytes.size();
  for (const auto& [key, records] : open_) bytes.insert(bytes.end(), records.begin(), records.end());
  if (::ftruncate(file, 0) != 0) return system_failure(errno, "empty the journal's other file");
  SOCKSWAP_CHECK(write_at(file, bytes, 0));
  SOCKSWAP_CHECK(write_at(file, ByteView(move::journal_header(life_, generation_ + 1)).first(header), 0));
  // The former one is of no use any more, and RUN is memory, mostly.
  static_cast<void>(::ftruncate(files_[current_].get(), 0));
  current_ = other;
  ++generation_;
  size_ = bytes.size();
  room_ = 0;
  return {};
}

Result<> JournalFile::keep_room(std::size_t for_bytes) {
  if (size_ + for_bytes + kept_room <= room_) return {};
  const std::size_t more = for_bytes + kept_room + asked_at_once;
  // By hand and not posix_fallocate(), which writes zeros where the file system can't promise room.
  if (::fallocate(files_[current_].get(), FALLOC_FL_KEEP_SIZE, static_cast<off_t>(size_),
                  static_cast<off_t>(more)) == 0) {
    room_ = size_ + more;
    return {};
  }
  if (errno == EOPNOTSUPP) return {};
  return system_failure(errno, "keep room for the journal", ErrorCode::no_resources);
}

Result<> JournalFile::append(ByteView bytes) {
  SOCKSWAP_CHECK(write_at(files_[current_].get(), bytes, size_));
  size_ += bytes.size();
  return {};
}

void JournalFile::note(const move::JournalRecord& record, ByteView encoded) {
  const auto id = move::MoveId::from_bytes(record.move_id());
  if (!id) return;
  const move::PartKey key{*id, move::role_of(record)};
  Bytes& records = open_[key];
  if (move::is_last(record)) {
    open_bytes_ -= records.size();
    open_.erase(key);
    return;
  }
  records.insert(records.end(), encoded.begin(), encoded.end());
  open_bytes_ += encoded.size();
}

Result<> JournalFile::write(const move::JournalRecord& record, bool needed) {
  Bytes encoded;
  move::append(encoded, record);
  if (auto room = keep_room(encoded.size()); !room && needed)
    return failure(Error{ErrorCode::no_resources, "no room for the journal: " + room.error().text(),
                         "nothing was begun; make room on the file system of --run", 0});
  SOCKSWAP_CHECK(append(encoded));
  note(record, encoded);
  if (size_ > open_bytes_ + most_over)
    if (auto anew = begin_anew(); !anew) log::warn("the journal grows on: {}", anew.error().text());
  return {};
}

}  // namespace sockswap::daemon
