// Reads one TCP stream to its end and says what it got, on however many hosts it ran meanwhile: `sockswap
// move` makes it hand the connection over, with a half-finished SHA-256, to its like on another host.
//
//   sockswap-receiver [--name NAME] [--listen PORT] [--no-hash]
#include <getopt.h>
#include <poll.h>

#include <sockswap/sockswap.hpp>
#include <vector>

#include "stream.h"
#include "tcp.h"

struct Receiver {
  std::string name = "receiver";
  std::optional<sockswap::Client> daemon;  // none while it is away: the connection doesn't need it
  int fd = -1;
  Stream stream;
  bool fresh = true;  // nothing has been read since the connection is here

  void register_here() {
    daemon.emplace();
    daemon->register_receiver(name, sockswap::Client::Role::receives_and_hands_over);
  }

  void handle(sockswap::Arrival& arrival) {
    const auto carried = arrival.state().as<Stream>();
    if (fd >= 0 || !carried) return;  // the arrival closes what isn't taken
    fd = arrival.take_fd(), stream = *carried, fresh = true;
    stream.print("arrival");
  }

  void handle(sockswap::HandOver& wanted) {
    if (!wanted.wants(fd)) return daemon->decline(wanted, "that connection isn't this receiver's");
    stream.print("hand-over");
    Stream travelling = stream;
    ++travelling.moves;
    daemon->move(wanted, fd, sockswap::StateView::of(travelling));
    fd = -1;
    stream.print("handed-over");
  }

  // A failed move leaves the connection here. If the daemon has gone (killed in the middle of a move, even),
  // it finishes or undoes what it had begun when it is back.
  void handle_events() try {
    if (!daemon) register_here();
    while (auto event = daemon->next(std::chrono::milliseconds(0)))
      std::visit([this](auto& what) { handle(what); }, *event);
  } catch (const sockswap::Failure& failure) {
    if (failure.code() != SOCKSWAP_NO_DAEMON) std::fprintf(stderr, "sockswap-receiver: %s\n", failure.what());
    if (failure.code() == SOCKSWAP_NO_DAEMON || failure.code() == SOCKSWAP_IN_DOUBT) daemon.reset();
  }

  // false: the stream has ended.
  bool read_some(std::vector<std::uint8_t>& buffer) {
    const ssize_t got = recv(fd, buffer.data(), buffer.size(), MSG_DONTWAIT);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return true;
    if (got < 0 && errno == EPERM) return poll(nullptr, 0, 1) == 0;  // frozen by a daemon that is away
    if (got < 0 && errno == ENOTCONN) {  // the move whose outcome was in doubt has been finished
      close(std::exchange(fd, -1));
      return true;
    }
    if (check(got, "recv") == 0) return false;
    stream.take(buffer.data(), static_cast<std::size_t>(got));
    if (std::exchange(fresh, false)) stream.print("first-byte");
    return true;
  }
};

int main(int argc, char** argv) try {
  Receiver receiver;
  int listener = -1;
  const option options[] = {
      {"name", 1, nullptr, 'n'}, {"listen", 1, nullptr, 'l'}, {"no-hash", 0, nullptr, 'q'}, {}};
  for (int chosen; (chosen = getopt_long(argc, argv, "", options, nullptr)) != -1;) {
    if (chosen == '?') return SOCKSWAP_USAGE;
    if (chosen == 'n') receiver.name = optarg;
    if (chosen == 'l') listener = listen_on(static_cast<std::uint16_t>(std::stoi(optarg)));
    if (chosen == 'q') receiver.stream.hashing = 0;
  }
  receiver.register_here();
  receiver.stream.print(listener >= 0 ? "listening" : "waiting");
  if (listener >= 0) receiver.fd = accept_one(listener);
  std::vector<std::uint8_t> buffer(1 << 20);
  for (std::uint64_t next_progress = 0;;) {
    pollfd wait[] = {{receiver.daemon ? receiver.daemon->fd() : -1, POLLIN, 0}, {receiver.fd, POLLIN, 0}};
    poll(wait, 2, receiver.fd >= 0 || !receiver.daemon ? 20 : -1);  // it skips a descriptor of -1
    if (wait[1].revents != 0 && !receiver.read_some(buffer)) break;
    const bool tick = now_ns() >= next_progress;
    if (wait[0].revents != 0 || (tick && !receiver.daemon)) receiver.handle_events();
    if (!tick) continue;
    next_progress = now_ns() + 20'000'000;
    if (receiver.fd >= 0) receiver.stream.print("progress");
  }
  receiver.stream.print_end();
} catch (const std::exception& error) {
  std::fprintf(stderr, "sockswap-receiver: %s\n", error.what());
  return 1;
}
