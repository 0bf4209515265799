#include "mesh/turnstile.h"

#include <asio/post.hpp>
#include <utility>

namespace sockswap::mesh {
namespace {

using Clock = std::chrono::steady_clock;

// Less work than this at once isn't worth a turn of the loop: most steps find that whoever waited has gone.
constexpr std::chrono::microseconds least_work{30};

}  // namespace

void Turnstile::queue(std::function<void()> step) {
  steps_.push_back(std::move(step));
  if (!awake_) wake();
}

void Turnstile::wake() {
  awake_ = true;
  const auto run_if_alive = [this, alive = alive_] {
    if (*alive) run();
  };
  if (Clock::now() >= shut_until_) {
    asio::post(io_, run_if_alive);
    return;
  }
  rest_.expires_at(shut_until_);
  rest_.async_wait([run_if_alive](const asio::error_code& cancelled) {
    if (!cancelled) run_if_alive();
  });
}

void Turnstile::run() {
  const std::shared_ptr<bool> alive = alive_;
  const auto began = Clock::now();
  auto now = began;
  while (!steps_.empty() && now - began < least_work) {
    const auto step = std::move(steps_.front());
    steps_.pop_front();
    step();
    if (!*alive) return;
    now = Clock::now();
  }
  shut_until_ = now + rest_after_work * (now - began);
  awake_ = false;
  if (!steps_.empty()) wake();
}

}  // namespace sockswap::mesh
