// The wrapper is C++17, and needs nothing before it.
#include <sockswap/sockswap.hpp>

int header_is_cxx17(sockswap::Client& client, const std::string& state, int fd) {
  client.move(fd, "gamma", "chat", state);
  return client.fd();
}
