// "I have moved": a program that leaves its connection with the daemon, goes elsewhere by means of its own,
// and brings the connection after it. It talks to a line server (sockswap-echo will do): what comes on stdin
// is sent, what the server answers is printed.
//
//   alpha$ sockswap-wanderer ADDRESS PORT         type a few lines, then "leave": prints a ticket and ends
//   beta$  sockswap-wanderer TICKET               the same connection goes on, from another host
#include <poll.h>
#include <unistd.h>

#include <cstdio>
#include <iostream>
#include <sockswap/sockswap.hpp>

#include "tcp.h"

int main(int argc, char** argv) try {
  if (argc != 2 && argc != 3)
    return std::fprintf(stderr, "usage: see the top of wanderer.cpp\n"), SOCKSWAP_USAGE;
  sockswap::Client here;
  int fd = -1;
  int sent = 0;  // what this program knows, and takes along
  if (argc == 3) {
    fd = connect_to(argv[1], argv[2]);
  } else {
    sockswap::Arrival arrival = here.have_moved(argv[1]);
    fd = arrival.take_fd();
    sent = arrival.state().as<int>().value_or(0);
    std::printf("came from %s, after %d lines\n", arrival.from(), sent);
  }

  // poll() and a buffered reader don't mix: stdin is read as plain bytes, a terminal gives whole lines.
  char bytes[4096];
  for (pollfd wait[] = {{STDIN_FILENO, POLLIN, 0}, {fd, POLLIN, 0}}; poll(wait, 2, -1) > 0;) {
    if (wait[1].revents != 0) {
      const ssize_t got = read(fd, bytes, sizeof bytes);
      if (got <= 0) break;
      std::cout << std::string_view(bytes, static_cast<std::size_t>(got)) << std::flush;
    }
    if (wait[0].revents == 0) continue;
    const ssize_t got = read(STDIN_FILENO, bytes, sizeof bytes);
    const std::string_view typed(bytes, got > 0 ? static_cast<std::size_t>(got) : 0);
    if (typed.empty() || typed == "leave\n") {
      std::cout << here.park(fd, sockswap::StateView::of(sent)) << std::endl;  // fd is closed
      return 0;
    }
    if (send(fd, typed.data(), typed.size(), MSG_NOSIGNAL) < 0) break;
    ++sent;
  }
} catch (const sockswap::Failure& failure) {
  std::fprintf(stderr, "sockswap-wanderer: %s\n%s\n", failure.what(), failure.hint().c_str());
  return failure.code();
} catch (const std::exception& error) {
  std::fprintf(stderr, "sockswap-wanderer: %s\n", error.what());
  return SOCKSWAP_INTERNAL;
}
