// The program at the staying end of a lab test. It sends a ramp and checks the ramp that it receives, both at
// once, and sees nothing else: any anomaly is its exit status 3 and a line on stderr.
//
//   sockswap-test-stayer connect|listen ADDRESS PORT --calls NAME [--send BYTES] [--receive BYTES]
//                        [--read-late] [--write-late]
//   sockswap-test-stayer can NAME                  exits with 77 if those calls can't be had here
//
// Prints "connected"; with --read-late or --write-late, begins to read (write) when its standard input has a
// line "read" ("write"). At the end prints "sent N received M" and exits with 0 if both are as asked for.
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>
#include <condition_variable>
#include <cstdio>
#include <cstring>
#include <iostream>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/endpoint.h"
#include "lab/stayer_calls.h"
#include "support/ramp.h"

namespace {

using sockswap::test::ramp;
using sockswap::test::ramp_matches;

constexpr std::size_t piece = 1 << 17;

struct Arguments {
  bool connects = false;
  std::string address, calls = "blocking";
  std::uint16_t port = 0;
  std::size_t send = 0, receive = 0;
  bool read_late = false, write_late = false;
};

// Opens when somebody says so on standard input.
class Gate {
 public:
  explicit Gate(bool closed) : open_(!closed) {}
  void open() {
    const std::lock_guard lock(mutex_);
    open_ = true;
    changed_.notify_all();
  }
  void pass() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return open_; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool open_;
};

Arguments parse(int argc, char** argv) {
  Arguments arguments;
  arguments.connects = std::string_view(argv[1]) == "connect";
  arguments.address = argv[2];
  arguments.port = static_cast<std::uint16_t>(std::stoi(argv[3]));
  for (int i = 4; i < argc; ++i) {
    const std::string_view name = argv[i];
    if (name == "--read-late")
      arguments.read_late = true;
    else if (name == "--write-late")
      arguments.write_late = true;
    else if (name == "--calls")
      arguments.calls = argv[++i];
    else if (name == "--send")
      arguments.send = std::stoull(argv[++i]);
    else if (name == "--receive")
      arguments.receive = std::stoull(argv[++i]);
  }
  return arguments;
}

int open_connection(const Arguments& arguments) {
  // "mapped:A.B.C.D" is an AF_INET6 socket with an IPv4 address.
  std::string_view text = arguments.address;
  const bool mapped = text.starts_with("mapped:");
  if (mapped) text.remove_prefix(7);
  const sockswap::Endpoint endpoint{sockswap::Address::parse(text).value(), arguments.port};
  const int family = mapped || !endpoint.address.is_v4() ? AF_INET6 : AF_INET;
  sockaddr_storage address{};
  const socklen_t size = endpoint.to_sockaddr(family, address);
  const int fd = ::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (arguments.connects) {
    if (::connect(fd, reinterpret_cast<sockaddr*>(&address), size) != 0) stayer::anomaly("connect", errno);
    return fd;
  }
  const int on = 1;
  ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (::bind(fd, reinterpret_cast<sockaddr*>(&address), size) != 0 || ::listen(fd, 8) != 0)
    stayer::anomaly("listen", errno);
  std::puts("listening");
  const int accepted = ::accept4(fd, nullptr, nullptr, SOCK_CLOEXEC);
  if (accepted < 0) stayer::anomaly("accept", errno);
  return accepted;
}

void send_all(stayer::Calls& calls, std::size_t count) {
  for (std::size_t done = 0; done < count;) {
    const sockswap::Bytes bytes = ramp(done, std::min(piece, count - done));
    for (std::size_t written = 0; written < bytes.size();)
      written += calls.write(bytes.data() + written, bytes.size() - written);
    done += bytes.size();
  }
}

// Until `count` bytes are there, or the stream ends early.
std::size_t receive_all(stayer::Calls& calls, std::size_t count) {
  std::vector<std::byte> buffer(piece);
  std::size_t done = 0;
  while (done < count) {
    const std::size_t got = calls.read(buffer.data(), buffer.size());
    if (got == 0) break;
    const std::size_t right = ramp_matches(done, sockswap::ByteView(buffer).first(got));
    if (right != got) {
      std::fprintf(stderr, "stayer: byte %zu is wrong\n", done + right);
      std::_Exit(3);
    }
    done += got;
  }
  return done;
}

}  // namespace

int main(int argc, char** argv) {
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  if (std::string_view(argv[1]) == "can") return stayer::make_calls(argv[2], 0) ? 0 : 77;
  const Arguments arguments = parse(argc, argv);
  const int fd = open_connection(arguments);
  // The two directions use the socket at once; each waits for it on its own.
  const auto reading = stayer::make_calls(arguments.calls, fd);
  const auto writing = stayer::make_calls(arguments.calls, fd);
  if (!reading || !writing) return 77;
  std::puts("connected");

  Gate read_gate(arguments.read_late), write_gate(arguments.write_late);
  std::thread([&] {
    for (std::string line; std::getline(std::cin, line);) {
      if (line == "read") read_gate.open();
      if (line == "write") write_gate.open();
    }
  }).detach();
  std::thread writer([&] {
    write_gate.pass();
    send_all(*writing, arguments.send);
  });
  read_gate.pass();
  const std::size_t received = receive_all(*reading, arguments.receive);
  writer.join();
  // Only now: a half-closed connection would not move.
  ::shutdown(fd, SHUT_WR);
  // Without waiting as before: with both directions closed, EPOLLHUP is what there is to see.
  char beyond = 0;
  ::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) & ~O_NONBLOCK);
  if (const ssize_t more = ::recv(fd, &beyond, 1, 0); more != 0)
    stayer::anomaly("recv at the end", more < 0 ? errno : 0);
  std::printf("sent %zu received %zu\n", arguments.send, received);
  std::fflush(stdout);
  std::_Exit(received == arguments.receive ? 0 : 4);
}
