// A program that holds a connection and says that it hands connections over, but doesn't: it declines, or it
// never looks. It sends back whatever comes.
//
//   sockswap-test-holder PORT declines|mute
//
// Prints "listening", then "connected" once its one connection is there; ends with it.
#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>

#include <cstdio>
#include <sockswap/sockswap.hpp>
#include <string_view>
#include <vector>

namespace {

int accept_one(std::uint16_t port) {
  const int listener = ::socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int on = 1;
  ::setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  sockaddr_in6 any{};
  any.sin6_family = AF_INET6;
  any.sin6_port = htons(port);
  if (::bind(listener, reinterpret_cast<sockaddr*>(&any), sizeof any) != 0 || ::listen(listener, 1) != 0)
    return -1;
  std::puts("listening");
  return ::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
}

// False at the end of the stream.
bool send_back(int fd, std::vector<char>& buffer) {
  const ssize_t got = ::recv(fd, buffer.data(), buffer.size(), 0);
  for (ssize_t done = 0; done < got;) {
    const ssize_t sent = ::send(fd, buffer.data() + done, static_cast<std::size_t>(got - done), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    done += sent;
  }
  return got > 0;
}

}  // namespace

int main(int argc, char** argv) {
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  if (argc != 3) return SOCKSWAP_USAGE;
  const bool mute = std::string_view(argv[2]) == "mute";
  sockswap::Client here;
  here.register_receiver("holder", sockswap::Client::Role::receives_and_hands_over);
  const int fd = accept_one(static_cast<std::uint16_t>(std::stoi(argv[1])));
  if (fd < 0) return 1;
  std::puts("connected");
  std::vector<char> buffer(65536);
  for (;;) {
    pollfd wait[] = {{mute ? -1 : here.fd(), POLLIN, 0}, {fd, POLLIN, 0}};
    ::poll(wait, 2, -1);
    if (wait[0].revents != 0)
      if (auto event = here.next(std::chrono::milliseconds(0)))
        here.decline(std::get<sockswap::HandOver>(*event), "busy with a customer");
    if (wait[1].revents != 0 && !send_back(fd, buffer)) return 0;
  }
}
