// The programs between which an end moves while hosts, daemons and links fail. Both check every byte, and say
// on standard output, a line each, what became of the end:
//
//   sockswap-test-fault-end move PORT HOST NAME STATE_BYTES DEADLINE_MS
//       "listening", "connected PORT_OF_THE_OTHER_END"; told "go" by standard input, moves it to HOST's NAME:
//       then "moved", "lost WHY", or "undone WHY" and it streams on
//   sockswap-test-fault-end receive NAME
//       "ready", and "arrived" once it has the end
//
// Told "end", whoever has the end ends the stream, and says "end SENT RECEIVED". "broken WHAT": it can't go
// on.
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <sockswap/sockswap.hpp>
#include <string>
#include <thread>

#include "soak/numbered.h"
#include "support/told.h"

namespace {

using sockswap::soak::NumberedStream;
using sockswap::soak::Position;
using sockswap::test::say_last;
using sockswap::test::told;
using namespace std::chrono_literals;

constexpr double bytes_per_second = 1e6;
constexpr auto look_every = 10ms;

// Streams until the other end does so no more, or until it is told "go".
template <class Aside>
void stream_on(NumberedStream& stream, Aside aside) {
  while (!stream.at_end()) {
    aside();
    if (const auto wrong = stream.step(STDIN_FILENO)) say_last("broken " + *wrong);
    const auto word = told();
    if (word == "go") return;
    if (word == "end") stream.finish();
  }
  if (!stream.finished()) stream.finish();
  say_last("end " + std::to_string(stream.position().sent) + " " +
           std::to_string(stream.position().received));
}

// Who receives stays registered: under the same name with the next daemon, if one is killed. The end is
// handed over once, also if the daemon is killed as it does so.
class Receiver {
 public:
  explicit Receiver(std::string name) : name_(std::move(name)) {}

  std::optional<sockswap::Arrival> look() {
    try {
      if (!here_) {
        here_.emplace();
        here_->register_receiver(name_);
        if (!std::exchange(said_ready_, true)) std::puts("ready");
      }
      auto event = here_->next(0ms);
      auto* arrival = event ? std::get_if<sockswap::Arrival>(&*event) : nullptr;
      if (arrival != nullptr) return std::move(*arrival);
    } catch (const sockswap::Failure&) {  // no daemon
      here_.reset();
      std::this_thread::sleep_for(look_every);
    }
    return std::nullopt;
  }

  void run() {
    std::optional<sockswap::Arrival> first;
    while (!(first = look())) std::this_thread::sleep_for(1ms);
    Position position;
    if (first->state().size() < sizeof position) say_last("broken another state than was sent");
    std::memcpy(&position, first->state().data(), sizeof position);
    const int fd = first->take_fd();
    std::puts("arrived");
    NumberedStream stream(fd, position, bytes_per_second);
    for (;;)
      stream_on(stream, [&] {
        if (look()) say_last("broken handed over twice");
      });
  }

 private:
  const std::string name_;
  std::optional<sockswap::Client> here_;
  bool said_ready_ = false;
};

int accepted(std::uint16_t port) {
  const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int on = 1;
  ::setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_port = htons(port);
  if (::bind(listener, reinterpret_cast<sockaddr*>(&at), sizeof at) != 0 || ::listen(listener, 1) != 0)
    say_last("broken can't listen");
  std::puts("listening");
  sockaddr_in from{};
  socklen_t size = sizeof from;
  const int fd = ::accept4(listener, reinterpret_cast<sockaddr*>(&from), &size, SOCK_CLOEXEC);
  ::close(listener);
  std::printf("connected %u\n", unsigned{ntohs(from.sin_port)});
  return fd;
}

// Until a daemon answers: it has undone by then whatever its predecessor hadn't promised.
void await_daemon() {
  for (;; std::this_thread::sleep_for(look_every)) {
    (void)told();
    try {
      return (void)sockswap::Client();
    } catch (const sockswap::Failure&) {
    }
  }
}

// What became of an end whose daemon went away in mid-move. The kernel knows, once the next daemon is there
// (a request of the one that was killed may still be with the keeper until then): in repair mode the end is
// frozen still, without a peer it has moved.
bool has_moved(int fd) {
  await_daemon();
  for (;;) {
    int repair = 0;
    socklen_t size = sizeof repair;
    if (::getsockopt(fd, IPPROTO_TCP, TCP_REPAIR, &repair, &size) != 0) say_last("broken getsockopt");
    sockaddr_storage peer{};
    size = sizeof peer;
    if (repair == 0) return ::getpeername(fd, reinterpret_cast<sockaddr*>(&peer), &size) != 0;
    std::this_thread::sleep_for(look_every);
    (void)told();
  }
}

// Until standard input ends.
[[noreturn]] void rest() {
  for (;; std::this_thread::sleep_for(look_every)) (void)told();
}

void move(char** arguments) {
  const int fd = accepted(static_cast<std::uint16_t>(std::atoi(arguments[0])));
  NumberedStream stream(fd, {}, bytes_per_second);
  stream_on(stream, [] {});
  std::string state(static_cast<std::size_t>(std::atoi(arguments[3])), '\0');
  const Position position = stream.position();
  state.insert(0, reinterpret_cast<const char*>(&position), sizeof position);
  try {
    sockswap::Client here;
    here.move(fd, arguments[1], arguments[2], state,
              {.deadline = std::chrono::milliseconds(std::atoi(arguments[4])), .progress = {}});
    std::puts("moved");
    rest();
  } catch (const sockswap::Failure& failure) {
    if (failure.code() == SOCKSWAP_LOST) say_last(std::string("lost ") + failure.what());
    const bool open = failure.code() == SOCKSWAP_IN_DOUBT || failure.code() == SOCKSWAP_NO_DAEMON;
    if (open && has_moved(fd)) {
      std::puts("moved");
      rest();
    }
    std::printf("undone %s: %s\n", failure.name(), failure.what());
  }
  for (;;) stream_on(stream, [] {});
}

}  // namespace

int main(int argc, char** argv) {
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  const std::string what = argc > 1 ? argv[1] : "";
  if (what == "move" && argc == 7)
    move(argv + 2);
  else if (what == "receive" && argc == 3)
    Receiver(argv[2]).run();
  return 2;
}
