#include "fake_daemon.h"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cstring>

#include "wire/decoder.h"
#include "wire/encoder.h"

namespace sockswap::cli {

void Speaker::say(wire::Reply reply) const { say(std::move(reply), number_); }

void Speaker::say(wire::Reply reply, std::uint64_t number) const {
  reply.set_number(number);
  Bytes frames;
  wire::encode(frames, reply.SerializeAsString());
  say_bytes(text_of(frames));
}

bool Speaker::say_bytes(std::string_view bytes) const {
  return ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(bytes.size());
}

void Speaker::hang_up() const { ::shutdown(socket_, SHUT_RDWR); }

FakeDaemon::FakeDaemon(wire::Reply always)
    : FakeDaemon([always](const wire::Request&, const Speaker& speaker) { speaker.say(always); }) {}

FakeDaemon::FakeDaemon(Script script)
    : script_(std::move(script)), folder_(testing::TempDir() + "cliXXXXXX") {
  if (::mkdtemp(folder_.data()) == nullptr)
    throw std::system_error(errno, std::generic_category(), "mkdtemp");
  path_ = folder_ + "/control.sock";
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, path_.c_str(), sizeof address.sun_path - 1);
  listener_.reset(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (::bind(listener_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      ::listen(listener_.get(), 8) != 0)
    throw std::system_error(errno, std::generic_category(), path_);
  thread_ = std::thread([this] { serve(); });
}

FakeDaemon::~FakeDaemon() {
  ::shutdown(listener_.get(), SHUT_RDWR);  // ends accept()
  thread_.join();
  ::unlink(path_.c_str());
  ::rmdir(folder_.c_str());
}

std::vector<wire::Request> FakeDaemon::requests() const {
  const std::lock_guard lock(mutex_);
  return requests_;
}

void FakeDaemon::serve() {
  for (;;) {
    const Fd client(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    if (!client) return;
    serve_client(client.get());
  }
}

void FakeDaemon::serve_client(int client) {
  wire::Decoder decoder;
  std::array<std::byte, 4096> buffer;
  for (;;) {
    const ssize_t size = ::recv(client, buffer.data(), buffer.size(), 0);
    if (size <= 0 || !decoder.feed(ByteView(buffer).first(static_cast<std::size_t>(size)))) return;
    while (const auto parcel = decoder.next()) {
      wire::Request request;
      if (!request.ParseFromString(parcel->message)) return;
      {
        const std::lock_guard lock(mutex_);
        requests_.push_back(request);
      }
      script_(request, Speaker(client, request.number()));
    }
  }
}

wire::Reply failed(unsigned code, const std::string& message, const std::string& hint) {
  wire::Reply reply;
  wire::Error& error = *reply.mutable_failed()->mutable_error();
  error.set_code(code);
  error.set_message(message);
  error.set_hint(hint);
  return reply;
}

}  // namespace sockswap::cli
