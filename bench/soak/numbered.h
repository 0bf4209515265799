// A stream in which every eight bytes are a number, one more than the eight before them: a lost, doubled,
// swapped or changed byte is seen at once, whatever its distance. Both ends of a soak send and check one.
#pragma once

#include <chrono>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string>

namespace sockswap::soak {

// Writes bytes [position, position + to.size()) of the stream (little-endian numbers).
inline void number(std::uint64_t position, std::span<unsigned char> to) {
  for (std::size_t i = 0; i < to.size();) {
    const std::uint64_t word = (position + i) / 8;
    const std::size_t offset = (position + i) % 8;
    const std::size_t count = std::min(8 - offset, to.size() - i);
    std::memcpy(&to[i], reinterpret_cast<const unsigned char*>(&word) + offset, count);
    i += count;
  }
}

// How far an end is. A plain value: it travels with the end.
struct Position {
  std::uint64_t sent = 0, received = 0;  // bytes
};

// One end's use of its socket. Whatever an undisturbed program would not see is a word of what it was.
class NumberedStream {
 public:
  // Sends `bytes_per_second` at most; 0: as much as the kernel takes.
  NumberedStream(int fd, Position position, double bytes_per_second)
      : fd_(fd), position_(position), rate_(bytes_per_second) {}

  // Waits up to a millisecond, also for `other` (-1: nothing else) to be readable, and sends and receives
  // what can be. Nothing, or what went wrong.
  std::optional<std::string> step(int other = -1);
  // Sends no more; the other end sees the end of the stream.
  void finish();

  const Position& position() const { return position_; }
  bool finished() const { return finished_; }
  bool at_end() const { return at_end_; }  // the other end sends no more

  // What a program that is to be caught does: the bytes sent from now on are those of `by` further on.
  void shift(std::int64_t by) { shift_ += by; }

 private:
  using Clock = std::chrono::steady_clock;

  std::size_t allowed();
  std::optional<std::string> send_some();
  std::optional<std::string> receive_some();

  int fd_;
  Position position_;
  double rate_;
  double credit_ = 0;  // bytes
  Clock::time_point counted_ = Clock::now();
  std::int64_t shift_ = 0;
  bool finished_ = false, at_end_ = false;
};

}  // namespace sockswap::soak
