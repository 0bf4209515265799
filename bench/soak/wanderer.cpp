// The end of a soak that moves: one of these programs runs on every host of a ring, each gives the connection
// to the next. It sends and checks numbers all the time; how far it is travels with the end.
//
//   sockswap-soak-wanderer NAME NEXT_HOST BYTES_PER_SECOND LEAK [listen|connect ADDRESS PORT]
//
// NAME is what it registers as; LEAK what it loses on the way, for a checker to find: nothing, descriptor,
// memory, thread, file, socket. The program that begins opens the connection. Standard input of the one that
// holds it:
//
//   go N      move N times more, counted over the whole ring
//   end       end the stream; when the other end has done so too, print "end SENT RECEIVED" and end
//
// Prints "ready", then "moved NUMBER PAUSE_US" for each move that it gave away and "rest NUMBER BUSY" when no
// move is left to make; BUSY is how often a move was refused with `busy` and tried again.
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <optional>
#include <random>
#include <sockswap/sockswap.hpp>
#include <string>
#include <thread>

#include "base/endpoint.h"
#include "numbered.h"

namespace {

using sockswap::soak::NumberedStream;
using sockswap::soak::Position;
using Clock = std::chrono::steady_clock;

// So much flows each way between one move and the next.
constexpr std::uint64_t between_moves = 4096;
constexpr std::chrono::seconds patience{20};

struct State {
  Position position;
  std::uint64_t moves = 0, until = 0, busy = 0;
};

[[noreturn]] void give_up(const std::string& why) {
  std::fprintf(stderr, "wanderer: %s\n", why.c_str());
  std::exit(3);
}

int tcp_socket() { return ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0); }

int open_connection(bool listens, const std::string& at) {
  const auto endpoint = sockswap::Endpoint::parse(at);
  if (!endpoint) give_up("no such address: " + at);
  sockaddr_storage address{};
  const socklen_t size = endpoint->to_sockaddr(AF_INET, address);
  const int fd = tcp_socket();
  const int on = 1;
  ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (!listens) {
    if (::connect(fd, reinterpret_cast<sockaddr*>(&address), size) != 0) give_up("can't connect");
    return fd;
  }
  if (::bind(fd, reinterpret_cast<sockaddr*>(&address), size) != 0 || ::listen(fd, 1) != 0)
    give_up("can't listen");
  std::puts("ready");
  const int accepted = ::accept4(fd, nullptr, nullptr, SOCK_CLOEXEC);
  ::close(fd);
  return accepted;
}

void lose(const std::string& what) {
  static int count = 0;
  ++count;
  if (what == "descriptor") (void)::open("/dev/null", O_RDONLY | O_CLOEXEC);
  if (what == "memory") std::memset(std::malloc(1 << 20), count, 1 << 20);
  if (what == "thread") std::thread([] { ::pause(); }).detach();
  if (what == "file") {
    const std::string name = "/run/sockswap/lost-" + std::to_string(count);
    if (std::FILE* file = std::fopen(name.c_str(), "w")) std::fclose(file);
  }
  if (what == "socket") ::listen(tcp_socket(), 1);
}

class Wanderer {
 public:
  Wanderer(std::string name, std::string next, double rate, std::string leak)
      : name_(std::move(name)), next_(std::move(next)), rate_(rate), leak_(std::move(leak)) {
    here_.register_receiver(name_);
  }

  // Until the end of the stream.
  void run(int fd) {
    if (fd >= 0) take(fd, State{});
    for (;;) {
      if (!stream_) await_arrival();
      exchange();
      if (stream_->at_end()) break;
      if (may_move()) move();
    }
    if (!stream_->finished()) stream_->finish();
    std::printf("end %llu %llu\n", static_cast<unsigned long long>(stream_->position().sent),
                static_cast<unsigned long long>(stream_->position().received));
  }

 private:
  void take(int fd, State state) {
    fd_ = fd;
    state_ = state;
    stream_.emplace(fd, state.position, rate_);
    heard_ = Clock::now();
    resting_ = false;
  }

  void await_arrival() {
    auto event = here_.next();
    auto* arrival = event ? std::get_if<sockswap::Arrival>(&*event) : nullptr;
    if (arrival == nullptr) give_up("no arrival");
    const auto state = arrival->state().as<State>();
    if (!state) give_up("another state than was sent");
    take(arrival->take_fd(), *state);
    lose(leak_);
  }

  void exchange() {
    const Position before = stream_->position();
    if (const auto wrong = stream_->step(resting_ ? STDIN_FILENO : -1)) give_up(*wrong);
    const auto now = Clock::now();
    if (stream_->position().received != before.received) heard_ = now;
    if (now - heard_ > patience) give_up("nothing arrives any more");
    if (state_.moves < state_.until) return;
    if (!resting_)
      std::printf("rest %llu %llu\n", static_cast<unsigned long long>(state_.moves),
                  static_cast<unsigned long long>(state_.busy));
    resting_ = true;
    obey();
  }

  // What it is told while it rests.
  void obey() {
    pollfd wait{STDIN_FILENO, POLLIN, 0};
    if (::poll(&wait, 1, 0) != 1) return;
    std::string word;
    if (!(std::cin >> word)) give_up("nobody is there to say what next");
    if (word == "end") stream_->finish();
    if (word != "go") return;
    std::uint64_t more = 0;
    std::cin >> more;
    state_.until += more;
    resting_ = more == 0;
  }

  bool may_move() const {
    const Position& now = stream_->position();
    return state_.moves < state_.until && Clock::now() >= not_before_ &&
           now.sent - state_.position.sent >= between_moves &&
           now.received - state_.position.received >= between_moves;
  }

  void move() {
    State next = state_;
    next.position = stream_->position();
    ++next.moves;
    try {
      const sockswap::Moved moved = here_.move(fd_, next_, name_, sockswap::StateView::of(next));
      std::printf("moved %llu %.1f\n", static_cast<unsigned long long>(next.moves), moved.pause.count());
      stream_.reset();
    } catch (const sockswap::Failure& failure) {
      if (failure.code() != SOCKSWAP_BUSY) give_up(failure.what());
      // Two that meet must not meet again for ever.
      ++state_.busy;
      not_before_ =
          Clock::now() + std::chrono::microseconds(std::uniform_int_distribution(100, 5000)(random_));
    }
  }

  const std::string name_, next_;
  const double rate_;
  const std::string leak_;
  sockswap::Client here_;
  int fd_ = -1;
  State state_;  // its position: that of the arrival
  std::optional<NumberedStream> stream_;
  Clock::time_point heard_, not_before_{};
  bool resting_ = false;
  std::minstd_rand random_{std::random_device{}()};
};

}  // namespace

int main(int argc, char** argv) {
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  if (argc != 5 && argc != 8) return 2;
  try {
    Wanderer wanderer(argv[1], argv[2], std::stod(argv[3]), argv[4]);
    const bool begins = argc == 8;
    if (!begins) std::puts("ready");
    wanderer.run(begins
                     ? open_connection(std::string(argv[5]) == "listen", std::string(argv[6]) + ":" + argv[7])
                     : -1);
  } catch (const std::exception& failure) {
    give_up(failure.what());
  }
}
