#include <linux/tcp.h>

#include <cerrno>
#include <cstring>

#include "socket/buffers.h"
#include "socket/dormant_state.h"

namespace sockswap::socket {
namespace {

constexpr int kGrowths = 8;

// What the sending options have to be while the unsent bytes go back: Nagle, a cork or a low-water mark
// would hold back bytes that the program has long let go, some of them sent once already.
Result<> override_sending(const Handle& end) {
  SOCKSWAP_CHECK(end.set(IPPROTO_TCP, TCP_NOTSENT_LOWAT, -1, "TCP_NOTSENT_LOWAT"));  // the largest unsigned
  SOCKSWAP_CHECK(end.set(IPPROTO_TCP, TCP_CORK, 0, "TCP_CORK"));
  return end.set(IPPROTO_TCP, TCP_NODELAY, 1, "TCP_NODELAY");
}

Result<> restore_sending(const Handle& end, std::span<const Option> options) {
  for (const OptionRow& row : option_table()) {
    if (row.phase != Phase::sending) continue;
    const Option* option = find(options, row.level, row.name);
    const Bytes value = option != nullptr ? option->value : fresh_value(row);
    SOCKSWAP_CHECK(
        end.set_bytes(row.level, row.name, value.data(), static_cast<socklen_t>(value.size()), row.text));
  }
  return {};
}

}  // namespace

DormantEnd::State::State(Fd socket, Hold held, const Image& image, const Buffers& buffers_found)
    : fd(std::move(socket)),
      hold(std::move(held)),
      unsent(image.unsent),
      roomy(roomy_buffers(image)),
      lasting(lasting_buffers(image)),
      found(buffers_found) {}

DormantEnd::State::~State() {
  if (!fd || step == ThawStep::settling || step == ThawStep::done) return;
  // Half of the unsent bytes are written: what its program writes next would follow a hole.
  if (step == ThawStep::writing) static_cast<void>(repair_on(hold.end()));
  static_cast<void>(disconnect(hold.end()));
  if (step == ThawStep::writing) static_cast<void>(repair_off(hold.end(), Probe::silent));
}

Result<> DormantEnd::State::leave_repair() {
  SOCKSWAP_CHECK(hold.leave(Probe::ask));
  step = ThawStep::writing;
  return {};
}

Result<> DormantEnd::State::write_unsent() {
  const Handle& end = hold.end();
  if (!unsent.empty()) SOCKSWAP_CHECK(override_sending(end));
  int growths = 0;
  while (written < unsent.size()) {
    const ssize_t took = end.kernel().send(end.fd(), unsent.data() + written, unsent.size() - written,
                                           MSG_DONTWAIT | MSG_NOSIGNAL);
    if (took > 0) {
      written += static_cast<std::size_t>(took);
      continue;
    }
    const int error = took == 0 ? EAGAIN : errno;
    const bool full = error == EAGAIN || error == ENOMEM || error == ENOBUFS;
    if (!full || growths++ == kGrowths) return system_failure(error, "can't write the unsent bytes");
    SOCKSWAP_CHECK(grow(end, Side::send));
  }
  step = ThawStep::settling;
  return {};
}

Result<> DormantEnd::State::settle() {
  const Handle& end = hold.end();
  if (unsent.empty()) {
    SOCKSWAP_CHECK(restore_options(end, hold.options(), Phase::sending));
  } else {
    SOCKSWAP_CHECK(restore_sending(end, hold.options()));
  }
  SOCKSWAP_CHECK(restore_sizes(end, roomy, lasting));
  const bool forced = found != lasting || found != roomy;
  if (forced) SOCKSWAP_CHECK(restore_locks(end, lasting.locks));
  SOCKSWAP_CHECK(hold.wake());
  SOCKSWAP_CHECK(hold.clear());
  step = ThawStep::done;
  return {};
}

DormantEnd::DormantEnd(std::unique_ptr<State> state) : state_(std::move(state)) {}
DormantEnd::DormantEnd(DormantEnd&&) noexcept = default;
DormantEnd& DormantEnd::operator=(DormantEnd&&) noexcept = default;
DormantEnd::~DormantEnd() = default;

int DormantEnd::fd() const { return state_->fd.get(); }

Result<Fd> DormantEnd::thaw() {
  State& state = *state_;
  const auto walk = [&]() -> Result<> {
    if (state.step == ThawStep::in_repair) SOCKSWAP_CHECK(state.leave_repair());
    if (state.step == ThawStep::writing) SOCKSWAP_CHECK(state.write_unsent());
    if (state.step == ThawStep::settling) SOCKSWAP_CHECK(state.settle());
    return {};
  };
  if (auto walked = walk(); !walked) return failure(std::move(walked).error().while_doing("thaw"));
  return std::move(state.fd);
}

}  // namespace sockswap::socket
