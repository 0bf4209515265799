// The end of a soak that stays: an ordinary program, which knows nothing of sockswap. It sends and checks
// numbers until the other end stops, and sees nothing else: anything is exit status 3 and a line on stderr.
//
//   sockswap-soak-still ADDRESS PORT BYTES_PER_SECOND [lost|twice]
//
// At the end prints "end SENT RECEIVED". "lost" and "twice" make it leave out or repeat a number.
#include <sys/socket.h>

#include <cstdio>
#include <string>
#include <string_view>

#include "base/endpoint.h"
#include "numbered.h"

int main(int argc, char** argv) {
  using namespace sockswap;
  if (argc < 4) return 2;
  const auto to = Endpoint::parse(std::string(argv[1]) + ":" + argv[2]);
  if (!to) return 2;
  sockaddr_storage address{};
  const socklen_t size = to->to_sockaddr(AF_INET, address);
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (::connect(fd, reinterpret_cast<sockaddr*>(&address), size) != 0) return 1;
  const std::string_view spoil = argc > 4 ? argv[4] : "";
  bool spoiled = spoil.empty();

  soak::NumberedStream stream(fd, {}, std::stod(argv[3]));
  while (!stream.at_end()) {
    if (const auto wrong = stream.step()) {
      std::fprintf(stderr, "still: %s\n", wrong->c_str());
      return 3;
    }
    if (!spoiled && stream.position().sent > 100'000) {
      spoiled = true;
      stream.shift(spoil == "lost" ? 8 : -8);
    }
  }
  stream.finish();
  std::printf("end %llu %llu\n", static_cast<unsigned long long>(stream.position().sent),
              static_cast<unsigned long long>(stream.position().received));
}
