#include "raw_peer.h"

#include <gtest/gtest.h>
#include <linux/filter.h>
#include <linux/sockios.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <algorithm>

#include "wire/encoder.h"

namespace sockswap::mesh {
namespace {

Fd tcp_socket(const Endpoint& at, sockaddr_storage& address, socklen_t& length) {
  const int family = at.address.is_v4() ? AF_INET : AF_INET6;
  length = at.to_sockaddr(family, address);
  return Fd(::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0));
}

}  // namespace

// A small message leaves at once, whether the last one has been acknowledged or not.
RawPeer::RawPeer(Fd socket) : socket_(std::move(socket)) {
  const int on = 1;
  EXPECT_EQ(::setsockopt(socket_.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on), 0);
}

RawPeer RawPeer::connect(const Endpoint& to, const std::optional<Address>& from) {
  sockaddr_storage address{};
  socklen_t length = 0;
  Fd fd = tcp_socket(to, address, length);
  if (from) {
    sockaddr_storage own{};
    const socklen_t size = Endpoint{*from, 0}.to_sockaddr(from->is_v4() ? AF_INET : AF_INET6, own);
    EXPECT_EQ(::bind(fd.get(), reinterpret_cast<sockaddr*>(&own), size), 0);
  }
  EXPECT_EQ(::connect(fd.get(), reinterpret_cast<sockaddr*>(&address), length), 0);
  return RawPeer(std::move(fd));
}

void RawPeer::go_deaf() {
  int unacknowledged = 1;
  while (unacknowledged != 0) ASSERT_EQ(::ioctl(socket_.get(), SIOCOUTQ, &unacknowledged), 0);
  sock_filter none{BPF_RET | BPF_K, 0, 0, 0};
  const sock_fprog program{.len = 1, .filter = &none};
  ASSERT_EQ(::setsockopt(socket_.get(), SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program), 0);
}
void RawPeer::hear_again() {
  const int ignored = 0;
  ASSERT_EQ(::setsockopt(socket_.get(), SOL_SOCKET, SO_DETACH_FILTER, &ignored, sizeof ignored), 0);
}
void RawPeer::enlarge_send_buffer(int bytes) {
  ASSERT_EQ(::setsockopt(socket_.get(), SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes), 0);
}

void RawPeer::write_plain(std::string_view text) {
  ::send(socket_.get(), text.data(), text.size(), MSG_NOSIGNAL);
}

bool RawPeer::secure(const Look& look, bool server) {
  SSL_CTX* context = SSL_CTX_new(TLS_method());
  SSL_CTX_set_max_proto_version(context, look.newest_tls);
  SSL_CTX_set_num_tickets(context, 0);
  if (look.identity != nullptr) {
    SSL_CTX_use_certificate(context, look.identity->certificate.get());
    SSL_CTX_use_PrivateKey(context, look.identity->key.get());
  }
  if (server) SSL_CTX_set_verify(context, SSL_VERIFY_PEER, [](int, X509_STORE_CTX*) { return 1; });
  ssl_.reset(SSL_new(context));
  SSL_CTX_free(context);
  SSL_set_fd(ssl_.get(), socket_.get());
  return (server ? SSL_accept(ssl_.get()) : SSL_connect(ssl_.get())) == 1;
}
bool RawPeer::secure_as_client(const Look& look) { return secure(look, false); }
bool RawPeer::secure_as_server(const Look& look) { return secure(look, true); }

void RawPeer::send(const wire::Message& message, std::span<const ByteView> attachments) {
  Bytes frames;
  wire::encode(frames, message.SerializeAsString(), attachments);
  send_bytes(frames);
}
void RawPeer::send_bytes(ByteView bytes) {
  SSL_write(ssl_.get(), bytes.data(), static_cast<int>(bytes.size()));
}

std::optional<wire::Message> RawPeer::next() {
  const auto parcel = decoder_.next();
  if (!parcel) return std::nullopt;
  wire::Message out;
  EXPECT_TRUE(out.ParseFromString(parcel->message));
  return out;
}

// False at the end of the session.
bool RawPeer::read_more() {
  std::array<std::byte, 16384> buffer;
  const int size = SSL_read(ssl_.get(), buffer.data(), buffer.size());
  if (size <= 0) return false;
  EXPECT_TRUE(decoder_.feed(ByteView(buffer).first(static_cast<std::size_t>(size))));
  return true;
}

std::optional<wire::Message> RawPeer::receive() {
  for (;;) {
    if (auto message = next()) return message;
    if (!read_more()) return std::nullopt;
  }
}

std::optional<wire::Message> RawPeer::receive_within(std::chrono::milliseconds time) {
  const auto until = std::chrono::steady_clock::now() + time;
  for (;;) {
    if (auto message = next()) return message;
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - std::chrono::steady_clock::now());
    pollfd wait{socket_.get(), POLLIN, 0};
    const int patience = static_cast<int>(std::max<std::int64_t>(0, left.count()));
    if (SSL_pending(ssl_.get()) == 0 && ::poll(&wait, 1, patience) != 1) return std::nullopt;
    if (!read_more()) return std::nullopt;
  }
}

void RawPeer::wait_for_the_end() {
  std::array<char, 4096> buffer;
  while (::recv(socket_.get(), buffer.data(), buffer.size(), 0) > 0) {
  }
}

wire::Message RawPeer::hello(const std::string& host, std::uint32_t oldest, std::uint32_t newest) {
  wire::Message out;
  out.mutable_hello()->set_host(host);
  out.mutable_hello()->set_oldest_version(oldest);
  out.mutable_hello()->set_newest_version(newest);
  return out;
}

RawListener::RawListener(const Endpoint& at) {
  sockaddr_storage address{};
  socklen_t length = 0;
  socket_ = tcp_socket(at, address, length);
  const int on = 1;  // an earlier test's connections may still be in TIME_WAIT
  EXPECT_EQ(::setsockopt(socket_.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on), 0);
  EXPECT_EQ(::bind(socket_.get(), reinterpret_cast<sockaddr*>(&address), length), 0);
  EXPECT_EQ(::listen(socket_.get(), 8), 0);
}
RawPeer RawListener::accept() {
  return RawPeer(Fd(::accept4(socket_.get(), nullptr, nullptr, SOCK_CLOEXEC)));
}

// OpenSSL's own socket BIO may raise SIGPIPE; blocked in this thread only, so that one raised by the mesh
// still ends the test.
Beside::Beside(std::function<void()> work)
    : thread_([this, work = std::move(work)] {
        sigset_t pipe;
        sigemptyset(&pipe);
        sigaddset(&pipe, SIGPIPE);
        pthread_sigmask(SIG_BLOCK, &pipe, nullptr);
        work();
        done_ = true;
      }) {}

}  // namespace sockswap::mesh
