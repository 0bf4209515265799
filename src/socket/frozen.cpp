#include <fmt/format.h>

#include "socket/filter.h"
#include "socket/frozen_state.h"

namespace sockswap::socket {
namespace {

Result<Identity> identify(const Handle& end) {
  SOCKSWAP_TRY(const Handle::Local local, end.local());
  SOCKSWAP_TRY(const Endpoint remote, end.remote());
  return Identity{{local.endpoint, remote}, local.family};
}

}  // namespace

FrozenEnd::State::~State() {
  if (!fd) return;
  if (torn) {
    static_cast<void>(disconnect(hold.end()));
    static_cast<void>(hold.undo(Probe::silent, {}));
  } else {
    static_cast<void>(thaw());
  }
}

Result<> FrozenEnd::State::thaw() {
  auto released = stop.release(hold.end());
  auto undone = hold.undo(Probe::ask, identity);
  if (!released) return released;
  return undone;
}

FrozenEnd::FrozenEnd(std::unique_ptr<State> state) : state_(std::move(state)) {}
FrozenEnd::FrozenEnd(FrozenEnd&&) noexcept = default;
FrozenEnd& FrozenEnd::operator=(FrozenEnd&&) noexcept = default;
FrozenEnd::~FrozenEnd() = default;

int FrozenEnd::fd() const { return state_->fd.get(); }

Result<FrozenEnd> FrozenEnd::freeze(Kernel& kernel, Fd fd, Intent intent) {
  const auto attempt = [&]() -> Result<FrozenEnd> {
    const Handle end(kernel, fd.get());
    SOCKSWAP_TRY(Identity identity, identify(end));
    const Extent extent = intent == Intent::move ? Extent::all : Extent::lost_in_place;
    SOCKSWAP_TRY(Options options, read_options(end, identity.family, identity.tuple.local.address, extent));
    SOCKSWAP_TRY(Hold hold, Hold::take(end, identity, std::move(options)));
    auto state = std::make_unique<State>(std::move(fd), std::move(hold), std::move(identity));
    SOCKSWAP_CHECK(state->stop.engage(end));
    return FrozenEnd(std::move(state));
  };
  auto frozen = attempt();
  if (!frozen) return failure(std::move(frozen).error().while_doing("freeze"));
  return frozen;
}

Result<Image> FrozenEnd::capture() {
  State& state = *state_;
  if (state.torn)
    return failure(ErrorCode::usage, "capture: the end was taken apart; its image is what is left");
  auto image = capture_image(state.hold.end(), state.identity, state.hold.options(), state.stop);
  if (!image)
    return failure(
        std::move(image).error().while_doing(fmt::format("capture {}", state.identity.tuple.text())));
  return image;
}

Result<> FrozenEnd::rest() {
  State& state = *state_;
  SOCKSWAP_CHECK(state.stop.close(state.hold.end()));
  return state.hold.leave(Probe::silent);
}

Result<> FrozenEnd::freeze_again() { return state_->hold.enter(); }

Result<> FrozenEnd::thaw() {
  State& state = *state_;
  if (state.torn)
    return failure(ErrorCode::usage, "thaw: the end was taken apart",
                   "repoint() it, to its old place if the move is to be undone");
  auto thawed = state.thaw();
  if (!thawed)
    return failure(
        std::move(thawed).error().while_doing(fmt::format("thaw {}", state.identity.tuple.text())));
  return {};
}

Result<> FrozenEnd::release() {
  State& state = *state_;
  const auto attempt = [&]() -> Result<> {
    state.torn = true;
    SOCKSWAP_CHECK(disconnect(state.hold.end()));
    SOCKSWAP_CHECK(state.hold.undo(Probe::silent, {}));
    state.fd.reset();  // from here on the socket is its other holders' to use again
    return {};
  };
  auto released = attempt();
  if (!released)
    return failure(
        std::move(released).error().while_doing(fmt::format("release {}", state.identity.tuple.text())));
  return {};
}

std::optional<pid_t> frozen_by(Kernel& kernel, int fd) {
  // An error is of a filter that we couldn't have set, or of something that isn't a socket.
  const auto filter = read_filter(Handle(kernel, fd));
  const auto mark = filter ? read_mark(*filter) : std::nullopt;
  return mark ? std::optional(mark->freezer) : std::nullopt;
}

Result<Rescue> rescue(Kernel& kernel, int fd) {
  const Handle end(kernel, fd);
  const auto attempt = [&]() -> Result<Rescue> {
    SOCKSWAP_TRY(const Bytes filter, read_filter(end));
    auto mark = read_mark(filter);
    if (!mark) return failure(ErrorCode::not_found, "nobody has frozen it");
    const auto whole = mark->whole;
    const auto now = identify(end);  // an error: it is connected to nobody
    const bool is_whole = now && whole == *now;
    Hold hold = Hold::adopt(end, *std::move(mark));
    if (!is_whole) SOCKSWAP_CHECK(disconnect(end));
    SOCKSWAP_CHECK(hold.undo(is_whole ? Probe::ask : Probe::silent, is_whole ? whole : std::nullopt));
    return is_whole ? Rescue::thawed : Rescue::disconnected;
  };
  auto rescued = attempt();
  if (!rescued) return failure(std::move(rescued).error().while_doing("thaw what was left frozen"));
  return rescued;
}

}  // namespace sockswap::socket
