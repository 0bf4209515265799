// sockswap for C++17 and later: RAII and exceptions over the C ABI, headers only. What each call does, and
// what a failure leaves, stands in sockswap.h.
//
//   sockswap::Client here;                               sockswap::Client here;
//   here.move(fd, "gamma", "chat", state);               here.register_receiver("chat");
//                                                        auto event = here.next();
//                                                        if (auto* arrival = std::get_if<sockswap::Arrival>(&*event))
//                                                          serve(arrival->take_fd(), arrival->state());
//
// Every failure throws sockswap::Failure. A Client may be used by one thread at a time.
#pragma once

#include <sockswap/sockswap.h>
#include <netinet/in.h>

#include <array>
#include <chrono>
#include <cstring>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>

namespace sockswap {

class Failure : public std::runtime_error {
 public:
  Failure(sockswap_error code, const char* text, const char* hint)
      : std::runtime_error(text), code_(code), hint_(hint) {}
  sockswap_error code() const noexcept { return code_; }
  const char* name() const noexcept { return sockswap_error_name(code_); }  // "unknown-receiver"
  const std::string& hint() const noexcept { return hint_; }                // may be empty

 private:
  sockswap_error code_;
  std::string hint_;
};

// A view of bytes: of anything contiguous whose elements are plain (std::string, std::vector, std::span …).
class StateView {
 public:
  constexpr StateView() = default;
  constexpr StateView(const void* data, std::size_t size) : data_(data), size_(size) {}
  template <class Range, class Element = std::remove_pointer_t<decltype(std::declval<const Range&>().data())>,
            class = std::enable_if_t<std::is_trivially_copyable_v<Element>>>
  constexpr StateView(const Range& range) : data_(range.data()), size_(range.size() * sizeof(Element)) {}
  // A plain struct, as its bytes: for hosts with the same ABI.
  template <class Plain>
  static StateView of(const Plain& value) {
    static_assert(std::is_trivially_copyable_v<Plain>);
    return {&value, sizeof value};
  }

  constexpr const void* data() const { return data_; }
  constexpr std::size_t size() const { return size_; }
  std::string_view text() const { return {static_cast<const char*>(data_), size_}; }
  // The reverse of of(); nothing if the size isn't that of a Plain.
  template <class Plain>
  std::optional<Plain> as() const {
    static_assert(std::is_trivially_copyable_v<Plain>);
    if (size_ != sizeof(Plain)) return std::nullopt;
    Plain value;
    std::memcpy(&value, data_, sizeof value);
    return value;
  }

 private:
  const void* data_ = nullptr;
  std::size_t size_ = 0;
};

// One descriptor, or several. A view: for the duration of a call.
class Ends {
 public:
  Ends(const int& fd) : fds_(&fd), count_(1) {}
  template <class Range, class = decltype(static_cast<const int*>(std::declval<const Range&>().data()))>
  Ends(const Range& fds) : fds_(fds.data()), count_(fds.size()) {}
  const int* data() const { return fds_; }
  std::size_t count() const { return count_; }

 private:
  const int* fds_;
  std::size_t count_;
};

struct Addresses {
  sockaddr_storage local{};
  sockaddr_storage remote{};
  sockaddr_storage former_local{};
};

namespace detail {

struct FreeEvent {
  void operator()(sockswap_event* event) const noexcept { sockswap_event_free(event); }
};
using EventPtr = std::unique_ptr<sockswap_event, FreeEvent>;

inline Addresses addresses_of(const sockswap_event* event, std::size_t index) {
  Addresses out;
  if (sockswap_event_addresses(event, index, &out.local, &out.remote, &out.former_local) != 0)
    throw std::out_of_range("sockswap: no end of that index");
  return out;
}

// Address and port in one spelling, whatever the family of the socket: IPv4 as IPv4-mapped IPv6.
inline std::array<unsigned char, 18> canonical(const sockaddr_storage& from) {
  std::array<unsigned char, 18> out{};
  if (from.ss_family == AF_INET) {
    const auto& in = reinterpret_cast<const sockaddr_in&>(from);
    out[10] = out[11] = 0xff;
    std::memcpy(&out[12], &in.sin_addr, 4);
    std::memcpy(&out[16], &in.sin_port, 2);
  } else if (from.ss_family == AF_INET6) {
    const auto& in6 = reinterpret_cast<const sockaddr_in6&>(from);
    std::memcpy(&out[0], &in6.sin6_addr, 16);
    std::memcpy(&out[16], &in6.sin6_port, 2);
  }
  return out;
}

}  // namespace detail

// Ends that have arrived here. Those not taken are closed with it.
class Arrival {
 public:
  explicit Arrival(detail::EventPtr event) : event_(std::move(event)) {}
  std::size_t count() const noexcept { return sockswap_event_count(event_.get()); }
  int take_fd(std::size_t index = 0) noexcept { return sockswap_event_take_fd(event_.get(), index); }  // -1: taken
  Addresses addresses(std::size_t index = 0) const { return detail::addresses_of(event_.get(), index); }
  // Valid as long as the Arrival.
  StateView state() const noexcept {
    std::size_t size = 0;
    const void* data = sockswap_event_state(event_.get(), &size);
    return {data, size};
  }
  const char* from() const noexcept { return sockswap_event_host(event_.get()); }

 private:
  detail::EventPtr event_;
};

// An operator wants an end of this program elsewhere: answer with Client::move() or Client::decline().
class HandOver {
 public:
  explicit HandOver(detail::EventPtr event) : event_(std::move(event)) {}
  Addresses addresses() const { return detail::addresses_of(event_.get(), 0); }
  const char* to() const noexcept { return sockswap_event_host(event_.get()); }
  const char* receiver() const noexcept { return sockswap_event_receiver(event_.get()); }
  // Is this descriptor the connection that is wanted?
  bool wants(int fd) const {
    const Addresses wanted = addresses();
    sockaddr_storage local{}, remote{};
    socklen_t local_size = sizeof local, remote_size = sizeof remote;
    return ::getsockname(fd, reinterpret_cast<sockaddr*>(&local), &local_size) == 0 &&
           ::getpeername(fd, reinterpret_cast<sockaddr*>(&remote), &remote_size) == 0 &&
           detail::canonical(local) == detail::canonical(wanted.local) &&
           detail::canonical(remote) == detail::canonical(wanted.remote);
  }
  const sockswap_event* raw() const noexcept { return event_.get(); }

 private:
  detail::EventPtr event_;
};

using Event = std::variant<Arrival, HandOver>;

struct MoveOptions {
  std::chrono::milliseconds deadline{0};  // 0: the daemon's default
  std::function<void(const char* step, double at_us)> progress{};  // what it throws is thrown when the move is over
};

struct Moved {
  std::array<unsigned char, 16> move_id{};
  std::chrono::duration<double, std::micro> pause{};
};

class Client {
 public:
  // Empty: $SOCKSWAP_CONTROL, else the system's.
  explicit Client(const std::string& control_socket = {}) {
    sockswap_options options{};
    options.size = sizeof options;
    options.control_socket = control_socket.empty() ? nullptr : control_socket.c_str();
    sockswap_handle* opened = nullptr;
    const int result = sockswap_open(&options, &opened);
    handle_.reset(opened);
    check(result);
  }

  // On success the descriptors have been closed.
  Moved move(Ends ends, const std::string& host, const std::string& receiver, StateView state = {},
             const MoveOptions& options = {}) {
    return move_as(0, ends, host, receiver, state, options);
  }
  // The answer to a hand-over: to the host and the receiver that it names.
  Moved move(const HandOver& wanted, Ends ends, StateView state = {}, const MoveOptions& options = {}) {
    return move_as(sockswap_event_hand_over(wanted.raw()), ends, wanted.to(), wanted.receiver(), state, options);
  }
  void decline(const HandOver& wanted, const std::string& reason) {
    check(sockswap_decline(handle_.get(), wanted.raw(), reason.c_str()));
  }

  enum class Role { receives, receives_and_hands_over };
  void register_receiver(const std::string& name, Role role = Role::receives) {
    check(sockswap_register(handle_.get(), name.c_str(), role == Role::receives ? 0 : SOCKSWAP_HANDS_OVER));
  }

  // Waits for the next event; nothing if none came in time. Without a time: for ever.
  std::optional<Event> next() { return next_within(-1); }
  std::optional<Event> next(std::chrono::milliseconds wait) {
    return next_within(wait.count() < 0 ? 0 : static_cast<int>(wait.count()));
  }
  int fd() const noexcept { return sockswap_fd(handle_.get()); }  // see sockswap_fd()

  // On success the descriptors have been closed; the ticket is a secret.
  std::string park(Ends ends, StateView state = {}) {
    char ticket[SOCKSWAP_TICKET_SIZE];
    check(sockswap_park(handle_.get(), ends.data(), ends.count(), state.data(), state.size(), ticket));
    return ticket;
  }
  Arrival have_moved(const std::string& ticket) {
    sockswap_event* event = nullptr;
    check(sockswap_have_moved(handle_.get(), ticket.c_str(), &event));
    return Arrival(detail::EventPtr(event));
  }

 private:
  struct Close {
    void operator()(sockswap_handle* s) const noexcept { sockswap_close(s); }
  };

  int check(int result) const {
    if (result >= 0) return result;
    throw Failure(static_cast<sockswap_error>(-result), sockswap_error_text(handle_.get()),
                  sockswap_error_hint(handle_.get()));
  }

  std::optional<Event> next_within(int timeout_ms) {
    sockswap_event* raw = nullptr;
    if (check(sockswap_next(handle_.get(), timeout_ms, &raw)) == 0) return std::nullopt;
    detail::EventPtr event(raw);
    if (sockswap_event_kind_of(raw) == SOCKSWAP_ARRIVAL) return Event(Arrival(std::move(event)));
    return Event(HandOver(std::move(event)));
  }

  struct Progress {
    const std::function<void(const char*, double)>& call;
    std::exception_ptr thrown;
    static void step(void* self, const char* name, double at_us) {
      auto& progress = *static_cast<Progress*>(self);
      if (progress.thrown) return;
      try {
        progress.call(name, at_us);
      } catch (...) {  // it may not cross the C ABI: the move goes on without being told of
        progress.thrown = std::current_exception();
      }
    }
  };

  Moved move_as(std::uint64_t hand_over, Ends ends, const std::string& host, const std::string& receiver,
                StateView state, const MoveOptions& options) {
    Progress progress{options.progress, nullptr};
    sockswap_move_options with{};
    with.size = sizeof with;
    with.deadline_ms = static_cast<unsigned>(options.deadline.count());
    with.hand_over = hand_over;
    with.progress = options.progress ? &Progress::step : nullptr;
    with.context = &progress;
    sockswap_move_result result{};
    result.size = sizeof result;
    check(sockswap_move(handle_.get(), ends.data(), ends.count(), host.c_str(), receiver.c_str(), state.data(),
                        state.size(), &with, &result));
    if (progress.thrown) std::rethrow_exception(progress.thrown);
    Moved moved;
    std::memcpy(moved.move_id.data(), result.move_id, moved.move_id.size());
    moved.pause = std::chrono::duration<double, std::micro>(result.pause_us);
    return moved;
  }

  std::unique_ptr<sockswap_handle, Close> handle_;
};

}  // namespace sockswap
