// The other side of the control socket: a peer that speaks the real protocol over a real UNIX socket, with
// its own system calls, and does what each test's script says. The script runs in a thread of its own and the
// connection closes when it returns.
#pragma once

#include <sys/socket.h>

#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/bytes.h"
#include "base/fd.h"
#include "wire/control.pb.h"
#include "wire/decoder.h"

namespace sockswap::client_test {

struct Received {
  wire::Request request;
  std::vector<Bytes> attachments;
  std::vector<Fd> fds;
};

class Peer {
 public:
  explicit Peer(Fd socket) : socket_(std::move(socket)) {}

  std::optional<Received> read();  // nothing: the client has closed
  void drop_bytes(std::size_t count);
  // A frame as it should be, and bytes and descriptors that needn't be one.
  void send(const wire::Reply& reply, const std::vector<Bytes>& attachments = {},
            const std::vector<int>& fds = {});
  void send_raw(ByteView bytes, const std::vector<int>& fds = {});
  void wait_for_close();

 private:
  bool read_some();

  Fd socket_;
  wire::Decoder decoder_;
  std::deque<Fd> fds_;
};

Bytes frames_of(const wire::Reply& reply, const std::vector<Bytes>& attachments = {},
                std::uint8_t descriptors = 0);

class TestDaemon {
 public:
  using Script = std::function<void(Peer&)>;
  explicit TestDaemon(Script script);
  ~TestDaemon();
  const std::string& path() const { return path_; }

 private:
  std::string path_;
  Fd listener_;
  std::thread thread_;
};

wire::Reply reply_to(const wire::Request& request);
wire::Reply failed(const wire::Request& request, std::uint32_t code, const std::string& message,
                   const std::string& hint = "");

// The two ends of a live loopback connection.
struct TcpPair {
  explicit TcpPair(int family = AF_INET);
  Fd one, other;
};
wire::Reply arrival_of(const std::vector<int>& fds, const std::string& from = "alpha");
wire::Reply hand_over_of(int fd, std::uint64_t number);
bool is_open(int fd);
bool is_readable(int fd);

}  // namespace sockswap::client_test
