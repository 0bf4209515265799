// An ordinary client: for each line on its standard input it sends a request of 64 bytes, waits for the
// answer and prints how many nanoseconds that took. Ends with its input.
//
//   sockswap-requester ADDRESS PORT
#include <sys/socket.h>

#include <chrono>
#include <cstdio>
#include <iostream>
#include <string>

#include "base/endpoint.h"

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  const auto to = sockswap::Endpoint::parse(std::string(argv[1]) + ":" + argv[2]);
  if (!to) return 2;
  sockaddr_storage address{};
  const socklen_t size = to->to_sockaddr(AF_INET, address);
  const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
  if (::connect(fd, reinterpret_cast<sockaddr*>(&address), size) != 0) return 1;
  char bytes[64] = "request";
  for (std::string line; std::getline(std::cin, line);) {
    const auto began = std::chrono::steady_clock::now();
    if (::send(fd, bytes, sizeof bytes, MSG_NOSIGNAL) != sizeof bytes) return 1;
    if (::recv(fd, bytes, sizeof bytes, MSG_WAITALL) != sizeof bytes) return 1;
    const auto took = std::chrono::steady_clock::now() - began;
    std::printf("%lld\n",
                static_cast<long long>(std::chrono::duration_cast<std::chrono::nanoseconds>(took).count()));
    std::fflush(stdout);
  }
}
