#include "socket/hold.h"

#include <fmt/format.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "socket/filter.h"

namespace sockswap::socket {

Result<Hold> Hold::take(const Handle& end, const Identity& identity, Options options) {
  Hold hold(end, std::move(options));
  const auto change = [&]() -> Result<> {
    SOCKSWAP_CHECK(hold.attach(Gate::cut_off, identity));
    hold.sleeping_ = true;
    SOCKSWAP_CHECK(put_to_sleep(end, hold.options_));
    SOCKSWAP_CHECK(repair_on(end));
    hold.repairing_ = true;
    return {};
  };
  auto done = change();
  if (done) return hold;
  if (auto undone = hold.undo(Probe::ask, identity); !undone)
    done.error().message += fmt::format("; and then, undoing it: {}", undone.error().text());
  return failure(std::move(done).error());
}

Hold Hold::adopt(const Handle& end, Mark mark) {
  Options options = std::move(mark.asleep);
  if (!mark.own.empty()) {  // the last of its level in the table's order
    const auto place =
        std::ranges::find_if(options, [](const Option& option) { return option.level != SOL_SOCKET; });
    options.insert(place, {SOL_SOCKET, SO_ATTACH_FILTER, std::move(mark.own)});
  }
  Hold hold(end, std::move(options));
  hold.gate_ = mark.gate;
  hold.repairing_ = hold.sleeping_ = true;
  return hold;
}

Hold Hold::of_fresh(const Handle& end, Options options) {
  Hold hold(end, std::move(options));
  hold.repairing_ = hold.sleeping_ = true;
  return hold;
}

Hold& Hold::operator=(Hold&& other) noexcept {
  if (this == &other) return *this;
  static_cast<void>(undo(Probe::ask, {}));
  end_ = other.end_;
  options_ = std::move(other.options_);
  gate_ = std::exchange(other.gate_, std::nullopt);
  repairing_ = std::exchange(other.repairing_, false);
  sleeping_ = std::exchange(other.sleeping_, false);
  return *this;
}

Hold::~Hold() { static_cast<void>(undo(Probe::ask, {})); }

Result<> Hold::attach(Gate gate, const std::optional<Identity>& whole) {
  Mark mark{.gate = gate, .freezer = ::getpid(), .whole = whole, .asleep = {}, .own = {}};
  for (const Option& option : options_)
    if (sleeps(option)) mark.asleep.push_back(option);
  if (const Option* own = find(options_, SOL_SOCKET, SO_ATTACH_FILTER); own != nullptr) mark.own = own->value;
  SOCKSWAP_CHECK(attach_filter(end_, to_instructions(mark)));
  gate_ = gate;
  return {};
}

// Without memory for another filter there is no mark, but the end opens: to detach one takes none.
Result<> Hold::open(const std::optional<Identity>& whole) {
  if (gate_ != Gate::cut_off || attach(Gate::open, whole)) return {};
  return clear();
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

Result<> Hold::clear() {
  if (!gate_) return {};
  const Option* own = find(options_, SOL_SOCKET, SO_ATTACH_FILTER);
  SOCKSWAP_CHECK(own == nullptr ? detach_filter(end_) : attach_filter(end_, own->value));
  gate_.reset();
  return {};
}

Result<> Hold::undo(Probe probe, const std::optional<Identity>& whole) {
  auto opened = open(whole);
  auto left = leave(probe);
  auto woken = wake();
  if (!opened) return opened;
  if (!left) return left;
  if (!woken) return woken;
  return clear();
}

}  // namespace sockswap::socket
