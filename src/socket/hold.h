// What freezing does to a socket, and its undo. Owns three changes that the kernel can see: the drop
// filter, repair mode, and the options put to sleep (keep-alive would probe a peer that can't answer
// and end the connection; TCP_USER_TIMEOUT would count the freeze). Borrows the descriptor.
//
// Each undo step may be tried again after a failure. The destructor undoes what is left, best effort.
// One thread.
#pragma once

#include "socket/handle.h"
#include "socket/options.h"
#include "socket/repair.h"

namespace sockswap::socket {

class Hold {
 public:
  // `options` as read_options() gave them. On failure the socket is as it was; should even that fail,
  // the error says so.
  static Result<Hold> take(const Handle& end, Options options);
  // For a socket that has all three changes already: a daemon that died left it so.
  static Hold adopt(const Handle& end, Options options);
  // For a fresh socket in repair mode: `options` wait for wake().
  static Hold of_fresh(const Handle& end, Options options);

  Hold() = default;
  Hold(Hold&& other) noexcept { *this = std::move(other); }
  Hold& operator=(Hold&& other) noexcept;
  ~Hold();

  const Handle& end() const { return end_; }
  const Options& options() const { return options_; }

  Result<> open();              // the drop filter gives way to the program's own
  Result<> leave(Probe probe);  // repair mode off
  Result<> enter();             // and on again
  Result<> wake();              // sleeping options as they were; after leave()

  // All three, each even if one before it fails; the first error is reported.
  Result<> undo(Probe probe);

 private:
  Hold(const Handle& end, Options options) : end_(end), options_(std::move(options)) {}

  Handle end_;
  Options options_;
  bool filtering_ = false;
  bool repairing_ = false;
  bool sleeping_ = false;
};

}  // namespace sockswap::socket
