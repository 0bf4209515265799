#include "client/connection.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "base/rights.h"
#include "wire/encoder.h"

namespace sockswap::client {
namespace {

constexpr std::size_t read_buffer_bytes = 1 << 17;
constexpr wire::Limits limits;

Error gone() {
  return {.code = ErrorCode::no_daemon,
          .message = "the daemon has closed the connection",
          .hint = "see sockswapd's log; open a new handle when it runs again",
          .sys_errno = 0};
}

Result<> check_limits(std::size_t message, std::span<const ByteView> attachments, std::size_t fds) {
  const std::size_t length = sizeof(std::uint32_t) + attachments.size() * sizeof(std::uint64_t) + message;
  if (length > limits.message_bytes)
    return failure(ErrorCode::too_large,
                   fmt::format("a request of {} bytes, {} allowed", length, limits.message_bytes));
  if (attachments.size() > limits.attachments)
    return failure(ErrorCode::too_large,
                   fmt::format("{} attachments, {} allowed", attachments.size(), limits.attachments));
  if (fds > limits.descriptors)
    return failure(ErrorCode::too_large,
                   fmt::format("{} descriptors in one request, {} allowed", fds, limits.descriptors),
                   "move them in several groups");
  std::uint64_t total = 0;
  for (const ByteView attachment : attachments) {
    if (attachment.size() > limits.attachment_bytes - total)
      return failure(ErrorCode::too_large,
                     fmt::format("more than {} bytes to take along", limits.attachment_bytes));
    total += attachment.size();
  }
  return {};
}

Result<> connect_to(const Fd& socket, const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path)
    return failure(ErrorCode::usage, fmt::format("'{}' is too long for a socket's path", path));
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  while (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    if (errno == EINTR) continue;
    const int error = errno;
    const bool denied = error == EACCES || error == EPERM;
    Error why = system_error(error, fmt::format("no daemon answers at {}", path),
                             denied ? ErrorCode::not_permitted : ErrorCode::no_daemon);
    why.hint = denied ? "this user may not use sockswapd's control socket"
                      : "start sockswapd, or set SOCKSWAP_CONTROL to the path of its control socket";
    return failure(std::move(why));
  }
  return {};
}

}  // namespace

// An exception that leaves a step leaves the stream at an unknown place: the step never says done().
class ControlConnection::Step {
 public:
  explicit Step(ControlConnection& connection) : intact_(connection.intact_), was_(intact_) {
    intact_ = false;
  }
  void done() { intact_ = was_; }

 private:
  bool& intact_;
  bool was_;
};

std::string default_control_socket() {
  // Not in a set-user-ID program: its caller must not choose whom it hands its connections to.
  const char* chosen = ::secure_getenv("SOCKSWAP_CONTROL");
  return chosen != nullptr && *chosen != '\0' ? chosen : "/run/sockswap/control.sock";
}

ControlConnection::ControlConnection(Fd socket) : socket_(std::move(socket)), buffer_(read_buffer_bytes) {}

Result<ControlConnection> ControlConnection::connect(const std::string& path) {
  Fd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!socket) return system_failure(errno, "socket", ErrorCode::no_resources);
  SOCKSWAP_CHECK(connect_to(socket, path));
  return ControlConnection(std::move(socket));
}

wire::Request ControlConnection::request() {
  wire::Request request;
  request.set_number(++last_number_);
  return request;
}

Result<> ControlConnection::send(const wire::Request& request, std::span<const ByteView> attachments,
                                 std::span<const int> fds) {
  if (!usable()) return failure(fault_.value_or(gone()));
  const std::string message = request.SerializeAsString();
  SOCKSWAP_CHECK(check_limits(message.size(), attachments, fds.size()));
  Bytes frames;
  wire::encode(frames, message, attachments, static_cast<std::uint8_t>(fds.size()));
  Step step(*this);
  Result<> sent = send_all(frames, fds);
  step.done();
  return sent;
}

Result<> ControlConnection::send_all(ByteView bytes, std::span<const int> fds) {
  bool begun = false;
  while (!bytes.empty()) {
    auto sent = send_some(socket_.get(), bytes, begun ? std::span<const int>{} : fds);
    if (!sent) {
      if (!begun && sent.error().code != ErrorCode::no_daemon) return failure(std::move(sent).error());
      // A daemon that refuses in the middle of a request says why before it closes.
      while (read_some().value_or(false)) continue;
      return broken(sent.error().code == ErrorCode::no_daemon ? gone() : std::move(sent).error());
    }
    if (!*sent) {
      SOCKSWAP_CHECK(wait_writable());
      continue;
    }
    begun = true;
    bytes = bytes.subspan(**sent);
  }
  return {};
}

Result<> ControlConnection::wait_writable() {
  pollfd wait{socket_.get(), POLLIN | POLLOUT, 0};
  if (::poll(&wait, 1, -1) < 0 && errno != EINTR) return broken(system_error(errno, "poll"));
  if (wait.revents & POLLIN) SOCKSWAP_CHECK(read_some());
  return {};
}

Result<std::optional<Incoming>> ControlConnection::receive(Deadline deadline) {
  if (!intact_) return failure(fault_.value_or(gone()));
  Step step(*this);
  for (;;) {
    if (auto parcel = decoder_.next()) {
      auto incoming = assemble(std::move(*parcel));
      step.done();
      return incoming;
    }
    if (fault_) break;
    const auto progress = read_some();
    if (!progress || *progress) continue;
    pollfd wait{socket_.get(), POLLIN, 0};
    const int ready = ::poll(&wait, 1, poll_timeout(deadline));
    if (ready < 0 && errno != EINTR) broken(system_error(errno, "poll"));
    if (ready != 0) continue;
    step.done();
    return std::nullopt;
  }
  step.done();
  return failure(*fault_);
}

Result<bool> ControlConnection::read_some() {
  const std::size_t before = arrived_fds_.size();
  auto received = receive_some(socket_.get(), buffer_, arrived_fds_);
  arrived_descriptors_ += arrived_fds_.size() - before;
  if (!received) return broken(std::move(received).error());
  if (arrived_fds_.size() > before && !arrived_fds_.back()) return broken(no_room_for_descriptors());
  if (!*received) return false;
  if (**received == 0) return broken(gone());
  if (auto fed = decoder_.feed(ByteView(buffer_).first(**received)); !fed)
    return broken(std::move(fed).error());
  if (auto right = check_descriptors(); !right) return broken(std::move(right).error());
  return true;
}

// Descriptors come with the first byte of their frame. So none may be missing once its header has been
// read, and between frames none may be left over: a later reply would be given somebody else's.
Result<> ControlConnection::check_descriptors() const {
  const std::uint64_t announced = decoder_.announced_descriptors();
  if (announced == arrived_descriptors_) return {};
  if (announced < arrived_descriptors_ && decoder_.mid_parcel()) return {};
  return failure(ErrorCode::internal, fmt::format("malformed frame: {} descriptors announced, {} came",
                                                  announced, arrived_descriptors_));
}

Result<Incoming> ControlConnection::assemble(wire::Parcel parcel) {
  Incoming incoming;
  for (std::uint8_t i = 0; i < parcel.descriptors && !arrived_fds_.empty(); ++i) {
    incoming.fds.push_back(std::move(arrived_fds_.front()));
    arrived_fds_.pop_front();
  }
  if (!incoming.reply.ParseFromString(parcel.message))
    return broken({.code = ErrorCode::internal,
                   .message = "the daemon's reply is malformed",
                   .hint = "is it a sockswapd that listens on this control socket?",
                   .sys_errno = 0});
  incoming.attachments = std::move(parcel.attachments);
  return incoming;
}

tl::unexpected<Error> ControlConnection::broken(Error why) {
  if (!fault_) fault_ = why;
  return failure(std::move(why));
}

}  // namespace sockswap::client
