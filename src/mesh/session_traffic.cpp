#include <array>
#include <asio/post.hpp>
#include <utility>

#include "mesh/session.h"
#include "wire/encoder.h"
#include "wire/errors.h"

namespace sockswap::mesh {
namespace {

// A block takes more parcels until it has this size; one that grew no larger is kept for the next parcel.
constexpr std::size_t block_bytes = 64 << 10;

// A bulk transfer gives way to the other sessions after this much.
constexpr std::size_t bytes_per_turn = 1 << 20;

// What another host says is shown in logs: no control characters, and not without end.
Error readable(Error error) {
  constexpr std::size_t longest = 300;
  for (std::string* text : {&error.message, &error.hint}) {
    text->resize(std::min(text->size(), longest));
    for (char& c : *text)
      if (static_cast<unsigned char>(c) < ' ' || c == '\x7f') c = '?';
  }
  return error;
}

}  // namespace

// asio asks epoll anew for each wait (EPOLL_CTL_MOD), which reports at once what is there already. So the
// socket need not be read until it says EAGAIN.
void Session::wait_to_read() {
  socket_.async_wait(asio::posix::stream_descriptor::wait_read,
                     [self = shared_from_this()](const asio::error_code& error) {
                       if (error || self->phase_ == Phase::closed) return;
                       self->tls_->socket_is_readable();
                       if (self->phase_ == Phase::securing)
                         self->secure_in_turn();
                       else if (self->phase_ == Phase::leaving)
                         self->read_to_the_end();
                       else
                         self->read();
                     });
}

void Session::wait_to_write() {
  writing_later_ = true;
  socket_.async_wait(asio::posix::stream_descriptor::wait_write,
                     [self = shared_from_this()](const asio::error_code& error) {
                       self->writing_later_ = false;
                       if (error) return;
                       if (self->phase_ == Phase::securing)
                         self->secure_in_turn();
                       else if (self->talking())
                         self->flush();
                     });
}

void Session::read() {
  const auto self = shared_from_this();
  std::array<std::byte, tls_record_bytes> record;  // not initialised on purpose: filled by each read
  std::size_t left = bytes_per_turn;
  while (talking()) {
    const auto [status, size] = tls_->read(record);
    if (status == TlsStream::Status::want_read) {
      wait_to_read();
      return;
    }
    if (status == TlsStream::Status::want_write) {  // to answer a KeyUpdate (RFC 8446, 4.6.3)
      socket_.async_wait(asio::posix::stream_descriptor::wait_write, [self](const asio::error_code& error) {
        if (!error && self->talking()) self->read();
      });
      return;
    }
    if (status != TlsStream::Status::done) {
      fail_as_tls_did();
      return;
    }
    if (const auto fed = decoder_.feed(ByteView(record).first(size)); !fed) {
      fail(fed.error(), Parting::after_goodbye);
      return;
    }
    while (talking()) {
      auto parcel = decoder_.next();
      if (!parcel) break;
      take(*std::move(parcel));
    }
    if (size >= left) {
      // OpenSSL may hold more already, for which the socket would never become readable.
      tls_->socket_is_readable();
      asio::post(io_, [self] {
        if (self->talking()) self->read();
      });
      return;
    }
    left -= size;
  }
}

void Session::take(wire::Parcel parcel) {
  const auto malformed = [this](const char* what) {
    fail({.code = ErrorCode::internal, .message = what, .hint = {}}, Parting::after_goodbye);
  };
  wire::Message message;
  if (parcel.descriptors != 0) return malformed("descriptors can't travel between hosts");
  if (!message.ParseFromString(parcel.message)) return malformed("malformed message");
  if (message.has_goodbye()) {
    fail(readable(wire::from_message(message.goodbye().error())), Parting::at_once);
  } else if (message.has_hello() != (phase_ == Phase::greeting)) {
    malformed(phase_ == Phase::greeting ? "a session begins with Hello" : "a second Hello");
  } else if (phase_ == Phase::greeting) {
    if (const auto taken = take_hello(message.hello()); !taken) fail(taken.error(), Parting::after_goodbye);
  } else {
    owner_->received(*this, std::move(message), std::move(parcel.attachments));
  }
}

void Session::send(std::string_view message, std::span<const ByteView> attachments) {
  queue(message, attachments);
  if (!writing_later_ && talking()) flush();
}

void Session::send_encoded(Bytes frames) {
  queued_ += frames.size();
  outgoing_.push_back(std::move(frames));
  if (!writing_later_) flush();
}

void Session::queue(std::string_view message, std::span<const ByteView> attachments) {
  std::uint64_t size = message.size();
  for (const ByteView attachment : attachments) size += attachment.size();
  if (size > limits_.queue_bytes - std::min(queued_, limits_.queue_bytes)) {
    fail({.code = ErrorCode::no_resources, .message = "the host doesn't read what is sent to it", .hint = {}},
         Parting::at_once);
    return;
  }
  if (outgoing_.empty() || outgoing_.back().size() >= block_bytes) outgoing_.emplace_back();
  Bytes& block = outgoing_.back();
  const std::size_t before = block.size();
  wire::encode(block, message, attachments, 0, limits_.wire);
  queued_ += block.size() - before;
}

void Session::flush() {
  std::size_t left = bytes_per_turn;
  while (queued_ > 0) {
    const auto [status, size] = tls_->write(ByteView(outgoing_.front()).subspan(written_));
    if (status == TlsStream::Status::closed || status == TlsStream::Status::failed) {
      fail_as_tls_did();
      return;
    }
    written_ += size;
    queued_ -= size;
    if (written_ == outgoing_.front().size()) drop_written_block();
    if (status != TlsStream::Status::done || (size >= left && queued_ > 0)) {
      wait_to_write();
      return;
    }
    left -= std::min(left, size);
  }
}

void Session::drop_written_block() {
  written_ = 0;
  if (outgoing_.size() == 1 && outgoing_.front().capacity() <= 2 * block_bytes)
    outgoing_.front().clear();
  else
    outgoing_.pop_front();
}

}  // namespace sockswap::mesh
