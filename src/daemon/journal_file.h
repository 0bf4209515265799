// The journal as a file: RUN/journal, or after a while RUN/journal.other. Opened before the daemon gives up
// its rights, since its user may make no file there.
//
// Written, never synced (move/journal_log.h says why). Room is kept free behind its end, so that a disk that
// is full refuses what begins and never what has begun. With too much that is over it is written anew, with
// the open parts alone, into the other of two files; which of them counts says a number in the header,
// written last.
#pragma once

#include <array>
#include <filesystem>
#include <map>
#include <string>

#include "base/fd.h"
#include "move/journal_log.h"

namespace sockswap::daemon {

class JournalFile {
 public:
  // `life`: of the keeper, 36 characters. What is there and belongs to another one is void. `replay`: what is
  // there of this one.
  static Result<JournalFile> open(const std::filesystem::path& run, const std::string& life,
                                  move::Replay& replay);

  // no_resources if a needed record would take of the room that is kept for those that aren't.
  Result<> write(const move::JournalRecord& record, bool needed);

 private:
  JournalFile(std::array<Fd, 2> files, std::string life) : files_(std::move(files)), life_(std::move(life)) {}

  Result<> begin_anew();
  Result<> keep_room(std::size_t for_bytes);
  Result<> append(ByteView bytes);
  void note(const move::JournalRecord& record, ByteView encoded);

  std::array<Fd, 2> files_;
  std::string life_;
  std::size_t current_ = 0;              // of files_
  std::uint32_t generation_ = 0;         // of files_[current_]
  std::size_t size_ = 0;                 // bytes
  std::size_t room_ = 0;                 // up to here the file system has promised
  std::map<move::PartKey, Bytes> open_;  // the records of parts that aren't over
  std::size_t open_bytes_ = 0;           // of these
};

}  // namespace sockswap::daemon
