// TCP as far as a move touches it: ends with queues and sequence numbers, segments that are lost, dropped by
// a frozen end's filter, or answered by a reset where there is no end. The bytes are real; images are
// src/socket's own.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "random.h"
#include "socket/image.h"

namespace sockswap::simulation {

// One of the two parties of a connection, whichever program it is that acts for it now. What it has written
// so far and what it has read must be the other's stream, in order, once.
struct Party {
  std::size_t number = 0;
  std::uint8_t key = 0;       // of its stream: byte i is (7 i + key) mod 256
  std::uint64_t written = 0;  // bytes, by its program
  std::uint64_t read = 0;     // of the other's stream
  std::byte at(std::uint64_t i) const { return static_cast<std::byte>(7 * i + key); }
};

struct End {
  enum class State { live, frozen, dormant, gone };
  State state = State::live;
  int host = 0;
  FourTuple tuple;
  Party* party = nullptr;  // whose it is; what a program does with it happens only while it is live
  bool held_up = false;    // its program is paused
  bool staying = false;    // it was held as a staying end
  std::optional<std::int64_t> paused_until =
      {};              // microseconds: when its program must run again at the latest
  bool owned = false;  // a program has it
  bool reset = false;  // its program has been told that the connection is gone
  socket::Sequence snd_una, snd_nxt, rcv_nxt;
  Bytes received;  // [.., rcv_nxt) not yet read
  Bytes queued;    // [snd_una, ..) written

  socket::Sequence write_end() const { return snd_una + static_cast<std::uint32_t>(queued.size()); }
};

class Kernels {
 public:
  Kernels(Random& random, int hosts) : random_(random), up_(static_cast<std::size_t>(hosts), true) {}

  // The segment's way; set by the world.
  std::function<bool(int from, int to)> passes;
  // An end that meets no socket at the other side; for the world to judge.
  std::function<void(const End& sender)> on_reset;

  static Address address(int host);
  static int host_of(const Address& address);

  std::shared_ptr<End> make(int host, const FourTuple& tuple, Party* party);
  Endpoint free_endpoint(int host) { return {address(host), ++last_port_}; }

  socket::Image capture(const End& end) const;
  void rebuild(End& end, const socket::Image& image, const FourTuple& tuple);
  void thaw(End& end);  // also tells the other side how far it has received
  void remove(End& end);

  void power_off(int host);
  void power_on(int host) { up_[static_cast<std::size_t>(host)] = true; }
  bool up(int host) const { return up_[static_cast<std::size_t>(host)]; }

  // Some end does something: its program writes or reads, or a segment goes. `faulty`: it may be lost.
  void stir(bool faulty);
  // Everything that can arrive arrives, and is read.
  void drain();
  // What a program read that it should not have.
  const std::optional<std::string>& wrong() const { return wrong_; }

  const std::vector<std::shared_ptr<End>>& ends() const { return ends_; }

  // The two parties of each connection: 2 c and 2 c + 1. An image carries its party's number as its
  // timestamp.
  void add_connection();
  Party* party(std::size_t number) { return parties_[number].get(); }

 private:
  void write(End& end, std::size_t size);
  void read(End& end, std::size_t size);
  bool send(End& end, bool faulty);
  void acknowledge(const End& by);
  End* find(const FourTuple& tuple, int host);

  Random& random_;
  std::vector<bool> up_;
  std::uint16_t last_port_ = 1000;
  std::vector<std::shared_ptr<End>> ends_;
  std::vector<std::unique_ptr<Party>> parties_;
  std::optional<std::string> wrong_;
};

}  // namespace sockswap::simulation
