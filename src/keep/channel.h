// One connection between sockswapd and its keeper: whole parcels with their descriptors, both ways.
//
// Attachments are sent from where they are and read to where they will be: a full queue has megabytes, and an
// end stands still meanwhile. One thread.
#pragma once

#include <chrono>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "base/fd.h"
#include "base/result.h"
#include "base/rights.h"
#include "wire/decoder.h"

namespace sockswap::keep {

struct Incoming {
  std::string message;  // protobuf bytes
  std::vector<Bytes> attachments;
  std::vector<Fd> fds;
  bool cut = false;  // there was no room here for its descriptors: it has none
};

class Channel {
 public:
  // `patience`: how long a send may wait for room, and a blocking receive for bytes.
  static Result<Channel> make(Fd socket, std::chrono::milliseconds patience);
  Result<> set_patience(std::chrono::milliseconds patience);

  // timed_out if the other side doesn't read. After an error the stream is useless.
  Result<> send(std::string_view message, std::span<const ByteView> attachments, std::span<const int> fds);

  // The next parcel. nullopt: it isn't there yet (Wait::never), or the patience is over. no_daemon if the
  // other side has closed. After an error the stream is useless.
  Result<std::optional<Incoming>> receive(Wait wait);

  int fd() const { return socket_.get(); }

 private:
  explicit Channel(Fd socket) : socket_(std::move(socket)) {}
  Result<std::optional<std::size_t>> read_some(Wait wait);

  Fd socket_;
  wire::Decoder decoder_{wire::keeper_limits};
  std::deque<Fd> fds_;  // of frames that are being read
  Bytes buffer_;
};

}  // namespace sockswap::keep
