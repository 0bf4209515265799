#include "keep/channel.h"

#include <sys/socket.h>
#include <sys/time.h>

#include "wire/encoder.h"

namespace sockswap::keep {
namespace {

constexpr std::size_t buffer_bytes = 1 << 16;
// Less than this isn't worth a system call of its own.
constexpr std::size_t least_room = 1 << 14;
constexpr std::size_t most_room = 1 << 22;
// So that a full queue goes without the sender being put to sleep for each 200 KB.
constexpr int socket_buffer = 8 << 20;

Result<> set_timeouts(int fd, std::chrono::milliseconds patience) {
  const timeval timeout{.tv_sec = patience.count() / 1000, .tv_usec = (patience.count() % 1000) * 1000};
  for (const int option : {SO_SNDTIMEO, SO_RCVTIMEO})
    if (::setsockopt(fd, SOL_SOCKET, option, &timeout, sizeof timeout) != 0)
      return system_failure(errno, "set a timeout");
  return {};
}

}  // namespace

Result<Channel> Channel::make(Fd socket, std::chrono::milliseconds patience) {
  SOCKSWAP_CHECK(set_timeouts(socket.get(), patience));
  // Best effort: it is a matter of speed.
  if (::setsockopt(socket.get(), SOL_SOCKET, SO_SNDBUFFORCE, &socket_buffer, sizeof socket_buffer) != 0)
    ::setsockopt(socket.get(), SOL_SOCKET, SO_SNDBUF, &socket_buffer, sizeof socket_buffer);
  Channel channel(std::move(socket));
  channel.buffer_.resize(buffer_bytes);
  return channel;
}

Result<> Channel::set_patience(std::chrono::milliseconds patience) {
  return set_timeouts(socket_.get(), patience);
}

Result<> Channel::send(std::string_view message, std::span<const ByteView> attachments,
                       std::span<const int> fds) {
  wire::Gathered out =
      wire::gather(message, attachments, static_cast<std::uint8_t>(fds.size()), wire::keeper_limits);
  std::span<ByteView> rest(out.parts);
  while (!rest.empty()) {
    SOCKSWAP_TRY(const auto sent, send_some(socket_.get(), rest, fds, Wait::socket_timeout));
    if (!sent) return failure(ErrorCode::timed_out, "the other side doesn't read");
    fds = {};
    std::size_t taken = *sent;
    while (!rest.empty() && taken >= rest.front().size()) {
      taken -= rest.front().size();
      rest = rest.subspan(1);
    }
    if (taken > 0) rest.front() = rest.front().subspan(taken);
  }
  return {};
}

Result<std::optional<std::size_t>> Channel::read_some(Wait wait) {
  if (const auto room = decoder_.room(least_room, most_room); !room.empty()) {
    auto received = receive_some(socket_.get(), room, fds_, wait);
    decoder_.filled(received && *received ? **received : 0);
    return received;
  }
  SOCKSWAP_TRY(const auto received, receive_some(socket_.get(), buffer_, fds_, wait));
  if (received) SOCKSWAP_CHECK(decoder_.feed(ByteView(buffer_).first(*received)));
  return received;
}

Result<std::optional<Incoming>> Channel::receive(Wait wait) {
  for (;;) {
    if (auto parcel = decoder_.next()) {
      const bool cut = parcel->descriptors > 0 && !fds_.empty() && !fds_.front();
      if (!cut && parcel->descriptors > fds_.size())
        return failure(ErrorCode::internal, "fewer descriptors came than were announced");
      Incoming incoming{.message = std::move(parcel->message),
                        .attachments = std::move(parcel->attachments),
                        .fds = {},
                        .cut = cut};
      if (cut) fds_.pop_front();
      for (; parcel->descriptors > 0 && !cut; --parcel->descriptors) {
        incoming.fds.push_back(std::move(fds_.front()));
        fds_.pop_front();
      }
      return incoming;
    }
    SOCKSWAP_TRY(const auto received, read_some(wait));
    if (!received) return std::nullopt;
    if (*received == 0) return failure(ErrorCode::no_daemon, "the other side has closed the connection");
  }
}

}  // namespace sockswap::keep
