#include "daemon/control_session.h"

#include <poll.h>

#include <array>

#include "base/log.h"
#include "base/rights.h"
#include "wire/encoder.h"
#include "wire/errors.h"

namespace sockswap::daemon {
namespace {

constexpr std::size_t read_bytes = 1 << 18;
// Descriptors that have come ahead of their frame's end: one frame's, since each came with its frame's first
// byte.
constexpr std::size_t most_waiting_fds = wire::Limits{}.descriptors;

}  // namespace

ControlSession::ControlSession(asio::local::stream_protocol::socket socket, Credentials credentials,
                               std::size_t most_unread)
    : socket_(std::move(socket)), credentials_(credentials), most_unread_(most_unread) {}

void ControlSession::start(Handlers handlers) {
  handlers_ = std::move(handlers);
  wait_readable();
}

bool ControlSession::hung_up() {
  if (!open()) return true;
  pollfd look{.fd = socket_.native_handle(), .events = 0, .revents = 0};
  return ::poll(&look, 1, 0) == 1 && (look.revents & POLLHUP) != 0;
}

void ControlSession::close() {
  if (!socket_.is_open()) return;
  asio::error_code ignored;
  socket_.close(ignored);
  const Handlers handlers = std::exchange(handlers_, {});
  if (handlers.closed) handlers.closed();
}

void ControlSession::fail(std::string_view why) {
  log::warn("closing the control connection of process {}: {}", credentials_.pid, why);
  close();
}

void ControlSession::wait_readable() {
  socket_.async_wait(asio::socket_base::wait_read,
                     [self = shared_from_this()](const asio::error_code& error) {
                       if (error || !self->socket_.is_open()) return;
                       if (self->read_some() && self->socket_.is_open()) self->wait_readable();
                     });
}

bool ControlSession::read_some() {
  // One for all sessions: there is one thread, and it empties the buffer before it reads again.
  static std::array<std::byte, read_bytes> buffer;
  std::deque<Fd> fds;
  const auto received = receive_some(socket_.native_handle(), buffer, fds);
  for (Fd& fd : fds) received_fds_.emplace_back(std::move(fd));
  if (!received) {
    fail(received.error().text());
    return false;
  }
  if (!*received) return true;
  if (**received == 0) {
    close();
    return false;
  }
  if (auto fed = decoder_.feed(ByteView(buffer).first(**received)); !fed) {
    fail(fed.error().text());
    return false;
  }
  return dispatch();
}

bool ControlSession::dispatch() {
  while (auto parcel = decoder_.next()) {
    wire::Request request;
    if (!request.ParseFromString(parcel->message)) {
      fail("a request that isn't one");
      return false;
    }
    if (parcel->descriptors > 0 && !received_fds_.empty() && received_fds_.front().get() < 0) {
      received_fds_.pop_front();
      wire::Reply failed;
      failed.set_number(request.number());
      wire::to_message(no_room_for_descriptors().while_doing("sockswapd"),
                       *failed.mutable_failed()->mutable_error());
      send(failed, {}, {});
      if (!socket_.is_open()) return false;
      continue;
    }
    if (parcel->descriptors > received_fds_.size()) {
      fail("fewer descriptors came than were announced");
      return false;
    }
    std::vector<ForeignFd> fds;
    for (; parcel->descriptors > 0; --parcel->descriptors) {
      fds.push_back(std::move(received_fds_.front()));
      received_fds_.pop_front();
    }
    if (handlers_.request)
      handlers_.request(std::move(request), std::move(parcel->attachments), std::move(fds));
    if (!socket_.is_open()) return false;
  }
  if (received_fds_.size() > most_waiting_fds) {
    fail("descriptors that no request announced");
    return false;
  }
  return true;
}

void ControlSession::send(const wire::Reply& reply, std::vector<Bytes> attachments,
                          std::vector<ForeignFd> fds) {
  if (!socket_.is_open()) return;
  Outgoing out;
  const std::vector<ByteView> views(attachments.begin(), attachments.end());
  std::string message = reply.SerializeAsString();
  if (message.size() > wire::reply_limits.message_bytes / 2) {
    wire::Reply failed;
    failed.set_number(reply.number());
    wire::to_message(Error{ErrorCode::too_large, "the answer is too long for one message", "", 0},
                     *failed.mutable_failed()->mutable_error());
    message = failed.SerializeAsString();
  }
  wire::encode(out.bytes, message, views, static_cast<std::uint8_t>(fds.size()), wire::reply_limits);
  out.fds = std::move(fds);
  outgoing_bytes_ += out.bytes.size();
  outgoing_.push_back(std::move(out));
  if (outgoing_bytes_ > most_unread_) return fail("it doesn't read its replies");
  if (!waiting_writable_ && write_some()) wait_writable();
}

// True if something is left to write.
bool ControlSession::write_some() {
  while (!outgoing_.empty()) {
    Outgoing& out = outgoing_.front();
    std::vector<int> fds;
    for (const ForeignFd& fd : out.fds) fds.push_back(fd.get());
    const auto sent = send_some(socket_.native_handle(), ByteView(out.bytes).subspan(out.sent), fds);
    if (!sent) {
      close();  // its read side says the same
      return false;
    }
    if (!*sent) return true;
    out.fds.clear();
    out.sent += **sent;
    if (out.sent < out.bytes.size()) continue;
    outgoing_bytes_ -= out.bytes.size();
    outgoing_.pop_front();
  }
  return false;
}

void ControlSession::wait_writable() {
  waiting_writable_ = true;
  socket_.async_wait(asio::socket_base::wait_write,
                     [self = shared_from_this()](const asio::error_code& error) {
                       self->waiting_writable_ = false;
                       if (error || !self->socket_.is_open()) return;
                       if (self->write_some()) self->wait_writable();
                     });
}

}  // namespace sockswap::daemon
