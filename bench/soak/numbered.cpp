#include "numbered.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>

namespace sockswap::soak {
namespace {

constexpr std::size_t piece = 1 << 16;
// Not sent in smaller pieces, but at the end of what may be sent: each costs both ends a wake-up.
constexpr double worth_sending = 4096;

std::string what(const char* call) { return fmt::format("{}: {}", call, std::strerror(errno)); }

}  // namespace

std::size_t NumberedStream::allowed() {
  if (finished_) return 0;
  if (rate_ == 0) return piece;
  const auto now = Clock::now();
  credit_ += rate_ * std::chrono::duration<double>(now - counted_).count();
  credit_ = std::min(credit_, static_cast<double>(piece));
  counted_ = now;
  return credit_ < worth_sending ? 0 : static_cast<std::size_t>(credit_);
}

std::optional<std::string> NumberedStream::step(int other) {
  const std::size_t may_send = allowed();
  const auto events = static_cast<short>((at_end_ ? 0 : POLLIN) | (may_send > 0 ? POLLOUT : 0));
  std::array<pollfd, 2> waits{pollfd{events != 0 ? fd_ : -1, events, 0}, pollfd{other, POLLIN, 0}};
  // poll() goes on by itself after a stop, so that no move shows here: not even as EINTR.
  if (::poll(waits.data(), waits.size(), 1) < 0) return what("poll");
  if ((waits[0].revents & (POLLIN | POLLERR | POLLHUP)) != 0)
    if (auto wrong = receive_some()) return wrong;
  if ((waits[0].revents & POLLOUT) != 0) return send_some();
  return std::nullopt;
}

std::optional<std::string> NumberedStream::send_some() {
  static std::array<unsigned char, piece> buffer;
  const std::span<unsigned char> bytes(buffer.data(), std::min(allowed(), piece));
  number(position_.sent + static_cast<std::uint64_t>(shift_), bytes);
  const ssize_t sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  if (sent < 0) return errno == EAGAIN ? std::nullopt : std::optional(what("send"));
  position_.sent += static_cast<std::uint64_t>(sent);
  credit_ -= static_cast<double>(sent);
  return std::nullopt;
}

std::optional<std::string> NumberedStream::receive_some() {
  static std::array<unsigned char, piece> buffer, expected;
  const ssize_t got = ::recv(fd_, buffer.data(), buffer.size(), MSG_DONTWAIT);
  if (got < 0) return errno == EAGAIN ? std::nullopt : std::optional(what("recv"));
  if (got == 0) at_end_ = true;
  const auto count = static_cast<std::size_t>(got);
  number(position_.received, {expected.data(), count});
  const auto wrong =
      std::mismatch(buffer.data(), buffer.data() + count, expected.data()).first - buffer.data();
  position_.received += static_cast<std::uint64_t>(wrong);
  if (wrong == got) return std::nullopt;
  return fmt::format("byte {} is wrong", position_.received);
}

void NumberedStream::finish() {
  finished_ = true;
  ::shutdown(fd_, SHUT_WR);
}

}  // namespace sockswap::soak
