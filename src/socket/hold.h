// What freezing does to a socket, and its undo. Owns three changes that the kernel can see: the filter, which
// drops what arrives and has a mark (mark.h), repair mode, and the options put to sleep (keep-alive would
// probe a peer that can't answer and end the connection; TCP_USER_TIMEOUT would count the freeze). Borrows
// the descriptor.
//
// The mark is the first to come and the last to go, so that at every instant between there is one.
//
// Each undo step may be tried again after a failure. The destructor undoes what is left, best effort.
// One thread.
#pragma once

#include "socket/handle.h"
#include "socket/mark.h"
#include "socket/options.h"
#include "socket/repair.h"

namespace sockswap::socket {

class Hold {
 public:
  // `options` as read_options() gave them. On failure the socket is as it was; should even that fail,
  // the error says so.
  static Result<Hold> take(const Handle& end, const Identity& identity, Options options);
  // For a socket with this mark, whose other changes may have been made or not.
  static Hold adopt(const Handle& end, Mark mark);
  // For a fresh socket in repair mode: `options` wait for wake().
  static Hold of_fresh(const Handle& end, Options options);

  Hold() = default;
  Hold(Hold&& other) noexcept { *this = std::move(other); }
  Hold& operator=(Hold&& other) noexcept;
  ~Hold();

  const Handle& end() const { return end_; }
  const Options& options() const { return options_; }

  // What arrives passes again, and the program's own filter with it. `whole`: what the mark is to say.
  Result<> open(const std::optional<Identity>& whole);
  Result<> leave(Probe probe);  // repair mode off
  Result<> enter();             // and on again
  Result<> wake();              // sleeping options as they were; after leave()
  Result<> clear();             // no mark any more: after all the others

  // All four, each even if one before it fails; the first error is reported.
  Result<> undo(Probe probe, const std::optional<Identity>& whole);

 private:
  Hold(const Handle& end, Options options) : end_(end), options_(std::move(options)) {}
  Result<> attach(Gate gate, const std::optional<Identity>& whole);

  Handle end_;
  Options options_;
  std::optional<Gate> gate_;  // nothing: the program's own filter, or none
  bool repairing_ = false;
  bool sleeping_ = false;
};

}  // namespace sockswap::socket
