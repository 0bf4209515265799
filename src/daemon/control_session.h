// One program's connection to the control socket: parcels with descriptors in, parcels with descriptors out.
#pragma once

#include <asio/io_context.hpp>
#include <asio/local/stream_protocol.hpp>
#include <deque>
#include <functional>
#include <memory>
#include <vector>

#include "base/bytes.h"
#include "base/foreign_fd.h"
#include "base/result.h"
#include "wire/control.pb.h"
#include "wire/decoder.h"

namespace sockswap::daemon {

// Who is at the other end, from SO_PEERCRED: as of its connect().
struct Credentials {
  pid_t pid = 0;
  uid_t uid = 0;
};

class ControlSession : public std::enable_shared_from_this<ControlSession> {
 public:
  struct Handlers {
    std::function<void(wire::Request, std::vector<Bytes>, std::vector<ForeignFd>)> request;
    std::function<void()> closed;  // once, whoever closed it
  };

  // What one program may leave unread before it is closed.
  static constexpr std::size_t most_unread_bytes = std::size_t{1} << 29;

  ControlSession(asio::local::stream_protocol::socket socket, Credentials credentials,
                 std::size_t most_unread = most_unread_bytes);

  // Begins to read. Kept alive by its pending operations until it closes.
  void start(Handlers handlers);
  void close();

  // Queues a reply; never blocks. Descriptors go with it and are closed here once sent. A program that
  // doesn't read is closed when too much has piled up.
  void send(const wire::Reply& reply, std::vector<Bytes> attachments = {}, std::vector<ForeignFd> fds = {});

  const Credentials& credentials() const { return credentials_; }
  bool open() const { return socket_.is_open(); }
  // The program has ended or closed it, though the loop may not have come to that yet.
  bool hung_up();

 private:
  struct Outgoing {
    Bytes bytes;
    std::size_t sent = 0;
    std::vector<ForeignFd> fds;  // go with the first byte
  };
  void wait_readable();
  void wait_writable();
  bool read_some();
  bool dispatch();
  bool write_some();
  void fail(std::string_view why);

  asio::local::stream_protocol::socket socket_;
  Credentials credentials_;
  std::size_t most_unread_;
  Handlers handlers_;
  wire::Decoder decoder_;
  std::deque<ForeignFd> received_fds_;  // in the order of their frames
  std::deque<Outgoing> outgoing_;
  std::size_t outgoing_bytes_ = 0;
  bool waiting_writable_ = false;
};

}  // namespace sockswap::daemon
