#include "socket/hold.h"

#include <fmt/format.h>
#include <sys/socket.h>

#include <utility>

#include "socket/filter.h"

namespace sockswap::socket {

Result<Hold> Hold::take(const Handle& end, Options options) {
  Hold hold(end, std::move(options));
  const auto change = [&]() -> Result<> {
    hold.sleeping_ = true;
    SOCKSWAP_CHECK(put_to_sleep(end, hold.options_));
    SOCKSWAP_CHECK(attach_drop_filter(end));
    hold.filtering_ = true;
    SOCKSWAP_CHECK(repair_on(end));
    hold.repairing_ = true;
    return {};
  };
  auto done = change();
  if (done) return hold;
  if (auto undone = hold.undo(Probe::ask); !undone)
    done.error().message += fmt::format("; and then, undoing it: {}", undone.error().text());
  return failure(std::move(done).error());
}

Hold Hold::adopt(const Handle& end, Options options) {
  Hold hold(end, std::move(options));
  hold.filtering_ = hold.repairing_ = hold.sleeping_ = true;
  return hold;
}

Hold Hold::of_fresh(const Handle& end, Options options) {
  Hold hold(end, std::move(options));
  hold.repairing_ = hold.sleeping_ = true;
  return hold;
}

Hold& Hold::operator=(Hold&& other) noexcept {
  if (this == &other) return *this;
  static_cast<void>(undo(Probe::ask));
  end_ = other.end_;
  options_ = std::move(other.options_);
  filtering_ = std::exchange(other.filtering_, false);
  repairing_ = std::exchange(other.repairing_, false);
  sleeping_ = std::exchange(other.sleeping_, false);
  return *this;
}

Hold::~Hold() { static_cast<void>(undo(Probe::ask)); }

Result<> Hold::open() {
  if (!filtering_) return {};
  const Option* own = find(options_, SOL_SOCKET, SO_ATTACH_FILTER);
  SOCKSWAP_CHECK(detach_drop_filter(end_, own == nullptr ? ByteView{} : ByteView(own->value)));
  filtering_ = false;
  return {};
}

Result<> Hold::leave(Probe probe) {
  if (!repairing_) return {};
  SOCKSWAP_CHECK(repair_off(end_, probe));
  repairing_ = false;
  return {};
}

Result<> Hold::enter() {
  if (repairing_) return {};
  SOCKSWAP_CHECK(repair_on(end_));
  repairing_ = true;
  return {};
}

Result<> Hold::wake() {
  // Leaving repair mode resets SO_REUSEADDR: before it, waking would be lost.
  if (!sleeping_ || repairing_) return {};
  SOCKSWAP_CHECK(restore_options(end_, options_, Phase::asleep));
  sleeping_ = false;
  return {};
}

Result<> Hold::undo(Probe probe) {
  auto opened = open();
  auto left = leave(probe);
  auto woken = wake();
  if (!opened) return opened;
  if (!left) return left;
  return woken;
}

}  // namespace sockswap::socket
