// One connection to the daemon's control socket: requests out, replies in, each with the attachments and
// descriptors that travel along (wire/parcel.h).
//
// Owns: the socket, and the descriptors that have arrived with replies not yet received by the caller.
// Threads: one at a time. Signals don't interrupt a call.
// Failure: a send() that is refused before its first byte (too_large, no_resources) changes nothing. After
// any other failure the connection is no longer usable(): replies that had arrived whole can still be
// received, then every call gives the same error. After an exception (memory) nothing can be received.
#pragma once

#include <deque>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/fd.h"
#include "base/result.h"
#include "client/deadline.h"
#include "wire/control.pb.h"
#include "wire/decoder.h"

namespace sockswap::client {

struct Incoming {
  wire::Reply reply;
  std::vector<Bytes> attachments;
  std::vector<Fd> fds;
};

// $SOCKSWAP_CONTROL, else /run/sockswap/control.sock.
std::string default_control_socket();

class ControlConnection {
 public:
  static Result<ControlConnection> connect(const std::string& path);

  // An empty request with a number of its own.
  wire::Request request();

  // Returns when the kernel has taken the whole request. What the daemon says meanwhile is read too:
  // two sides that only wrote would wait for each other for ever. `fds` stay the caller's.
  Result<> send(const wire::Request& request, std::span<const ByteView> attachments = {},
                std::span<const int> fds = {});

  // The next reply; nullopt if none has come by the deadline.
  Result<std::optional<Incoming>> receive(Deadline deadline);

  bool usable() const { return intact_ && !fault_; }
  int fd() const { return socket_.get(); }  // to wait for, not to read from

 private:
  class Step;

  explicit ControlConnection(Fd socket);
  Result<> send_all(ByteView bytes, std::span<const int> fds);
  Result<> wait_writable();
  Result<bool> read_some();  // false: nothing there
  Result<> check_descriptors() const;
  Result<Incoming> assemble(wire::Parcel parcel);
  tl::unexpected<Error> broken(Error why);

  Fd socket_;
  Bytes buffer_;
  wire::Decoder decoder_{wire::reply_limits};
  std::deque<Fd> arrived_fds_;             // not yet assigned to a reply, in order
  std::uint64_t arrived_descriptors_ = 0;  // ever
  std::uint64_t last_number_ = 0;
  bool intact_ = true;
  std::optional<Error> fault_;
};

}  // namespace sockswap::client
