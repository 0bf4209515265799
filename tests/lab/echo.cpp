// An ordinary program with any number of connections: says on each what it hears on it.
//
//   sockswap-test-echo PORT        prints "listening"; any byte that comes back another is an error of the
//   test's
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <vector>

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(std::atoi(argv[1])));
  const int listener = ::socket(AF_INET, SOCK_STREAM, 0);
  if (::bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 ||
      ::listen(listener, 1024) != 0)
    return 1;
  std::puts("listening");
  std::fflush(stdout);
  std::vector<pollfd> watched{{.fd = listener, .events = POLLIN, .revents = 0}};
  char bytes[4096];
  while (::poll(watched.data(), watched.size(), -1) > 0) {
    for (std::size_t i = watched.size(); i-- > 1;) {
      if (watched[i].revents == 0) continue;
      const ssize_t got = ::read(watched[i].fd, bytes, sizeof bytes);
      if (got > 0 && ::send(watched[i].fd, bytes, static_cast<std::size_t>(got), MSG_NOSIGNAL) == got)
        continue;
      ::close(watched[i].fd);
      watched.erase(watched.begin() + static_cast<std::ptrdiff_t>(i));
    }
    if (watched[0].revents != 0)
      watched.push_back({.fd = ::accept(listener, nullptr, nullptr), .events = POLLIN, .revents = 0});
  }
  return 1;
}
