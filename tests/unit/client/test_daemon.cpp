#include "test_daemon.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>

#include "base/endpoint.h"
#include "wire/encoder.h"
#include "wire/endpoints.h"

namespace sockswap::client_test {
namespace {

std::string fresh_path() {
  char folder[] = "/tmp/sockswap-client-XXXXXX";
  return std::string(::mkdtemp(folder)) + "/control.sock";
}

sockaddr_storage name_of(int fd, int (*call)(int, sockaddr*, socklen_t*)) {
  sockaddr_storage name{};
  socklen_t size = sizeof name;
  EXPECT_EQ(call(fd, reinterpret_cast<sockaddr*>(&name), &size), 0);
  return name;
}

FourTuple tuple_of(int fd) {
  return {Endpoint::from_sockaddr(name_of(fd, ::getsockname)).value(),
          Endpoint::from_sockaddr(name_of(fd, ::getpeername)).value()};
}

}  // namespace

bool Peer::read_some() {
  std::byte bytes[65536];
  alignas(cmsghdr) char control[CMSG_SPACE(253 * sizeof(int))];
  iovec part{bytes, sizeof bytes};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  const ssize_t got = TEMP_FAILURE_RETRY(::recvmsg(socket_.get(), &message, MSG_CMSG_CLOEXEC));
  if (got <= 0) return false;
  if (const cmsghdr* head = CMSG_FIRSTHDR(&message)) {
    for (std::size_t i = 0; i < (head->cmsg_len - CMSG_LEN(0)) / sizeof(int); ++i) {
      int fd = -1;
      std::memcpy(&fd, CMSG_DATA(head) + i * sizeof fd, sizeof fd);
      fds_.emplace_back(fd);
    }
  }
  EXPECT_TRUE(decoder_.feed(ByteView(bytes, static_cast<std::size_t>(got))));
  return true;
}

std::optional<Received> Peer::read() {
  for (;;) {
    if (auto parcel = decoder_.next()) {
      Received received;
      EXPECT_TRUE(received.request.ParseFromString(parcel->message));
      received.attachments = std::move(parcel->attachments);
      for (; parcel->descriptors > 0 && !fds_.empty(); --parcel->descriptors) {
        received.fds.push_back(std::move(fds_.front()));
        fds_.pop_front();
      }
      EXPECT_EQ(parcel->descriptors, 0) << "descriptors that did not come";
      return received;
    }
    if (!read_some()) return std::nullopt;
  }
}

void Peer::drop_bytes(std::size_t count) {
  std::vector<char> bytes(count);
  EXPECT_EQ(::recv(socket_.get(), bytes.data(), count, MSG_WAITALL), static_cast<ssize_t>(count));
}

void Peer::send(const wire::Reply& reply, const std::vector<Bytes>& attachments,
                const std::vector<int>& fds) {
  send_raw(frames_of(reply, attachments, static_cast<std::uint8_t>(fds.size())), fds);
}

void Peer::send_raw(ByteView bytes, const std::vector<int>& fds) {
  alignas(cmsghdr) char control[CMSG_SPACE(253 * sizeof(int))];
  for (bool first = true; !bytes.empty(); first = false) {
    iovec part{const_cast<std::byte*>(bytes.data()), bytes.size()};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    if (first && !fds.empty()) {
      message.msg_control = control;
      message.msg_controllen = CMSG_SPACE(fds.size() * sizeof(int));
      cmsghdr* head = CMSG_FIRSTHDR(&message);
      *head = {CMSG_LEN(fds.size() * sizeof(int)), SOL_SOCKET, SCM_RIGHTS};
      std::memcpy(CMSG_DATA(head), fds.data(), fds.size() * sizeof(int));
    }
    const ssize_t sent = TEMP_FAILURE_RETRY(::sendmsg(socket_.get(), &message, MSG_NOSIGNAL));
    if (sent < 0) return;  // the client has gone; the test sees it
    bytes = bytes.subspan(static_cast<std::size_t>(sent));
  }
}

void Peer::wait_for_close() {
  while (read()) continue;
}

Bytes frames_of(const wire::Reply& reply, const std::vector<Bytes>& attachments, std::uint8_t descriptors) {
  Bytes frames;
  const std::vector<ByteView> views(attachments.begin(), attachments.end());
  wire::encode(frames, reply.SerializeAsString(), views, descriptors);
  return frames;
}

TestDaemon::TestDaemon(Script script)
    : path_(fresh_path()), listener_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path_.copy(address.sun_path, sizeof address.sun_path - 1);
  EXPECT_EQ(::bind(listener_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  EXPECT_EQ(::listen(listener_.get(), 4), 0);
  thread_ = std::thread([this, script = std::move(script)] {
    Fd socket(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    if (!socket) return;
    Peer peer(std::move(socket));
    script(peer);
  });
}

TestDaemon::~TestDaemon() {
  ::shutdown(listener_.get(), SHUT_RDWR);  // wakes an accept() that nobody came for
  thread_.join();
  ::unlink(path_.c_str());
  ::rmdir(path_.substr(0, path_.rfind('/')).c_str());
}

wire::Reply reply_to(const wire::Request& request) {
  wire::Reply reply;
  reply.set_number(request.number());
  return reply;
}

wire::Reply failed(const wire::Request& request, std::uint32_t code, const std::string& message,
                   const std::string& hint) {
  wire::Reply reply = reply_to(request);
  wire::Error& error = *reply.mutable_failed()->mutable_error();
  error.set_code(code);
  error.set_message(message);
  error.set_hint(hint);
  return reply;
}

TcpPair::TcpPair(int family) {
  const Endpoint loopback{Address::parse(family == AF_INET ? "127.0.0.1" : "::1").value(), 0};
  sockaddr_storage name{};
  const socklen_t size = loopback.to_sockaddr(family, name);
  const Fd listener(::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0));
  EXPECT_EQ(::bind(listener.get(), reinterpret_cast<sockaddr*>(&name), size), 0);
  EXPECT_EQ(::listen(listener.get(), 1), 0);
  name = name_of(listener.get(), ::getsockname);
  one.reset(::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0));
  EXPECT_EQ(::connect(one.get(), reinterpret_cast<sockaddr*>(&name), size), 0);
  other.reset(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
}

wire::Reply arrival_of(const std::vector<int>& fds, const std::string& from) {
  wire::Reply reply;
  wire::Arrival& arrival = *reply.mutable_arrival();
  arrival.set_from(from);
  for (const int fd : fds) {
    wire::Arrival::End& end = *arrival.add_ends();
    const FourTuple tuple = tuple_of(fd);
    wire::to_message(tuple, *end.mutable_tuple());
    const char* former = tuple.local.address.is_v4() ? "10.9.8.7:6" : "[fd00::7]:6";
    wire::to_message(Endpoint::parse(former).value(), *end.mutable_former_local());
  }
  return reply;
}

wire::Reply hand_over_of(int fd, std::uint64_t number) {
  wire::Reply reply;
  wire::HandOver& wanted = *reply.mutable_hand_over();
  wanted.set_number(number);
  wanted.set_to("gamma");
  wanted.set_receiver("chat");
  wire::to_message(tuple_of(fd), *wanted.mutable_tuple());
  return reply;
}

bool is_open(int fd) { return ::fcntl(fd, F_GETFD) >= 0; }

bool is_readable(int fd) {
  pollfd wait{fd, POLLIN, 0};
  return ::poll(&wait, 1, 0) == 1;
}

}  // namespace sockswap::client_test
