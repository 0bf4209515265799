// Lets handshakes through one after the other, and never more of them than leave most of the loop's time to
// the sessions that are open: after each step it stays shut for several times as long as that took. Whoever
// dials without end so waits for themselves. Owned by the mesh; one thread, the event loop's.
#pragma once

#include <asio/io_context.hpp>
#include <asio/steady_timer.hpp>
#include <chrono>
#include <deque>
#include <functional>
#include <memory>

namespace sockswap::mesh {

// How long whoever serves strangers rests, in multiples of the time that it has just worked.
inline constexpr int rest_after_work = 4;

class Turnstile {
 public:
  explicit Turnstile(asio::io_context& io) : io_(io), rest_(io) {}
  Turnstile(const Turnstile&) = delete;
  Turnstile& operator=(const Turnstile&) = delete;
  ~Turnstile() { *alive_ = false; }

  // Runs it from the loop, in order; never from within this call.
  void queue(std::function<void()> step);

 private:
  void wake();
  void run();

  asio::io_context& io_;
  asio::steady_timer rest_;
  std::deque<std::function<void()>> steps_;
  bool awake_ = false;  // run() will come
  std::chrono::steady_clock::time_point shut_until_{};
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace sockswap::mesh
