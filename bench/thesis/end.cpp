// One end of a transfer of the thesis's table: receives, sends or asks on one connection, and says what it
// saw. The bytes are numbers (soak/numbered.h), each of which is checked.
//
//   sockswap-thesis-end receive|send|ask OPENING [options]
//
//   OPENING  listen ADDRESS:PORT | connect ADDRESS:PORT | arrival | stdin
//
// It gives its end to --to HOST when it has received or sent --at BYTES; the program there was started with
// the opening "arrival". A line of JSON for each event, times in nanoseconds of the host's CLOCK_MONOTONIC:
//
//   ready                           it may be dialled, or an end may arrive
//   moved    pause_us               its end has gone to --to
//   end      bytes begin_ns first_ns last_ns stall_ns stall_at_ns samples [[at_ns, bytes], …]
//   asked    round_trip_us          median of the round trips of --count requests
//
// `bytes` are the stream's, not this program's only; a stall is the longest time between two reads or writes.
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <sockswap/sockswap.hpp>
#include <stdexcept>
#include <vector>

#include "base/endpoint.h"
#include "base/fd.h"
#include "soak/numbered.h"

namespace {

using Json = nlohmann::json;
using sockswap::Fd;

constexpr const char* receiver = "thesis";
constexpr std::size_t piece = 1 << 18;
constexpr std::int64_t sample_every_ns = 10'000'000;

struct Arguments {
  std::string does, opening, at, to;
  std::uint64_t move_at = 0, from = 0, until = UINT64_MAX;
  int count = 100;
};

std::int64_t now_ns() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

void say(const Json& line) {
  std::puts(line.dump().c_str());
  std::fflush(stdout);
}

[[noreturn]] void give_up(const std::string& what) {
  throw std::runtime_error(what + ": " + std::strerror(errno));
}

// What this program saw of the stream.
class Log {
 public:
  Log() : begin_(now_ns()) {}

  void add(std::uint64_t bytes) {
    const std::int64_t now = now_ns();
    if (first_ == 0)
      first_ = now;
    else if (now - last_ > stall_) {
      stall_ = now - last_;
      stall_at_ = last_;
    }
    last_ = now;
    if (samples_.empty() || now - samples_.back().first >= sample_every_ns) samples_.emplace_back(now, bytes);
  }
  void say_end(std::uint64_t bytes) const {
    say({{"event", "end"},
         {"bytes", bytes},
         {"begin_ns", begin_},
         {"first_ns", first_},
         {"last_ns", last_},
         {"stall_ns", stall_},
         {"stall_at_ns", stall_at_},
         {"samples", samples_}});
  }

 private:
  std::int64_t begin_, first_ = 0, last_ = 0, stall_ = 0, stall_at_ = 0;
  std::vector<std::pair<std::int64_t, std::uint64_t>> samples_;
};

// What travels with an end.
struct State {
  std::uint64_t position = 0;
};

// The end that this program has, and the client by which it came or goes.
class End {
 public:
  explicit End(const Arguments& arguments) : arguments_(arguments), position_(arguments.from) {
    if (arguments.opening == "arrival" || !arguments.to.empty()) client_.emplace();
    if (arguments.opening == "listen") listen();
    if (arguments.opening == "connect") connect();
    if (arguments.opening == "arrival") await_arrival();
    if (arguments.opening == "stdin") fd_ = Fd(::dup(STDIN_FILENO));
    log_.emplace();
  }

  void receive() {
    std::vector<unsigned char> bytes(piece), expected(piece);
    while (position_ < arguments_.until) {
      if (to_move()) return move();
      const ssize_t got = ::read(fd_.get(), bytes.data(), bytes.size());
      if (got < 0) give_up("receive");
      if (got == 0) break;
      const auto count = static_cast<std::size_t>(got);
      sockswap::soak::number(position_, {expected.data(), count});
      if (!std::equal(bytes.begin(), bytes.begin() + got, expected.begin()))
        throw std::runtime_error("wrong bytes after " + std::to_string(position_));
      position_ += count;
      log_->add(position_);
    }
    log_->say_end(position_);
  }

  void send() {
    std::vector<unsigned char> bytes(piece);
    while (position_ < arguments_.until) {
      if (to_move()) return move();
      const std::size_t count = std::min<std::uint64_t>(piece, arguments_.until - position_);
      sockswap::soak::number(position_, {bytes.data(), count});
      const ssize_t sent = ::send(fd_.get(), bytes.data(), count, MSG_NOSIGNAL);
      if (sent < 0) give_up("send");
      position_ += static_cast<std::uint64_t>(sent);
      log_->add(position_);
    }
    log_->say_end(position_);
  }

  // The other end sends back what it gets.
  void ask() {
    if (!arguments_.to.empty()) return move();
    const int on = 1;
    ::setsockopt(fd_.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    std::vector<double> took;
    std::array<char, 64> word{};
    for (int i = 0; i < arguments_.count; ++i) {
      const std::int64_t began = now_ns();
      if (::send(fd_.get(), word.data(), word.size(), MSG_NOSIGNAL) != ssize_t{word.size()}) give_up("ask");
      if (::recv(fd_.get(), word.data(), word.size(), MSG_WAITALL) != ssize_t{word.size()}) give_up("answer");
      took.push_back(static_cast<double>(now_ns() - began) / 1000);
    }
    std::nth_element(took.begin(), took.begin() + arguments_.count / 2, took.end());
    say({{"event", "asked"}, {"round_trip_us", took[static_cast<std::size_t>(arguments_.count) / 2]}});
  }

 private:
  Fd tcp_socket(sockaddr_storage& address, socklen_t& size) const {
    const auto endpoint = sockswap::Endpoint::parse(arguments_.at);
    if (!endpoint) throw std::runtime_error("no such address: " + arguments_.at);
    size = endpoint->to_sockaddr(AF_INET, address);
    return Fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  }

  void listen() {
    sockaddr_storage address{};
    socklen_t size = 0;
    const Fd listener = tcp_socket(address, size);
    const int on = 1;
    ::setsockopt(listener.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (::bind(listener.get(), reinterpret_cast<sockaddr*>(&address), size) != 0 ||
        ::listen(listener.get(), 1) != 0)
      give_up("listen");
    say({{"event", "ready"}});
    fd_ = Fd(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
    if (!fd_) give_up("accept");
  }

  void connect() {
    sockaddr_storage address{};
    socklen_t size = 0;
    fd_ = tcp_socket(address, size);
    if (::connect(fd_.get(), reinterpret_cast<sockaddr*>(&address), size) != 0) give_up("connect");
  }

  void await_arrival() {
    client_->register_receiver(receiver);
    say({{"event", "ready"}});
    auto event = client_->next();
    auto* arrival = event ? std::get_if<sockswap::Arrival>(&*event) : nullptr;
    if (arrival == nullptr) throw std::runtime_error("something else than an end arrived");
    const auto state = arrival->state().as<State>();
    if (!state) throw std::runtime_error("the end came without its state");
    position_ = state->position;
    fd_ = Fd(arrival->take_fd());
  }

  bool to_move() const { return !arguments_.to.empty() && position_ >= arguments_.move_at; }

  void move() {
    const State state{position_};
    const sockswap::Moved moved =
        client_->move(fd_.release(), arguments_.to, receiver, sockswap::StateView::of(state));
    say({{"event", "moved"}, {"pause_us", moved.pause.count()}});
    log_->say_end(position_);
  }

  const Arguments& arguments_;
  std::optional<sockswap::Client> client_;
  Fd fd_;
  std::uint64_t position_;
  std::optional<Log> log_;
};

}  // namespace

int main(int argc, char** argv) {
  Arguments arguments;
  CLI::App app("One end of a transfer that is measured.", "sockswap-thesis-end");
  app.add_option("does", arguments.does)->required()->check(CLI::IsMember({"receive", "send", "ask"}));
  app.add_option("opening", arguments.opening)
      ->required()
      ->check(CLI::IsMember({"listen", "connect", "arrival", "stdin"}));
  app.add_option("address", arguments.at, "ADDRESS:PORT to listen on or to connect to");
  app.add_option("--to", arguments.to, "Host to which the end moves");
  app.add_option("--at", arguments.move_at, "After so many bytes of the stream");
  app.add_option("--from", arguments.from, "Where the stream begins");
  app.add_option("--until", arguments.until, "Where it ends, if the other end doesn't end it");
  app.add_option("--count", arguments.count, "Requests")->check(CLI::PositiveNumber);
  CLI11_PARSE(app, argc, argv);
  try {
    End end(arguments);
    if (arguments.does == "receive") end.receive();
    if (arguments.does == "send") end.send();
    if (arguments.does == "ask") end.ask();
  } catch (const std::exception& error) {
    std::fprintf(stderr, "sockswap-thesis-end: %s\n", error.what());
    return 1;
  }
}
