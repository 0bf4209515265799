// Dials one address without end, as somebody would who wants its host to have no time for anybody else.
//
//   sockswap-flooder ADDRESS PORT SOURCE connect|garbage|handshake
//
// connect: connections that say nothing, 1,024 of them at once. garbage: each says 4 KiB of nonsense.
// handshake: each does what it can of a TLS handshake, with a certificate of another cluster's. Ends with its
// standard input, and prints how many connections it has made.
#include <fcntl.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>

#include <array>
#include <atomic>
#include <cstdio>
#include <deque>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "base/endpoint.h"
#include "base/fd.h"
#include "cluster/authority.h"
#include "cluster/identity.h"

namespace {

using namespace sockswap;

constexpr int threads = 4;
constexpr std::size_t held_by_each = 1024 / threads;
// A host that lets nobody in isn't waited for.
constexpr timeval patience{.tv_sec = 0, .tv_usec = 200'000};

struct Target {
  sockaddr_storage address{}, source{};
  socklen_t size = 0;
};

Fd dial(const Target& target) {
  Fd fd(::socket(target.address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
  // No TIME_WAIT here: the ports would run out.
  const linger at_once{.l_onoff = 1, .l_linger = 0};
  ::setsockopt(fd.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  ::setsockopt(fd.get(), SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  ::setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  const int tries = 1;
  ::setsockopt(fd.get(), IPPROTO_TCP, TCP_SYNCNT, &tries, sizeof tries);
  ::bind(fd.get(), reinterpret_cast<const sockaddr*>(&target.source), target.size);
  if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&target.address), target.size) != 0) fd.reset();
  return fd;
}

// Of a cluster of its own, which nobody else has heard of.
cluster::Identity identity() {
  std::string pattern = (std::filesystem::temp_directory_path() / "sockswap-flooder.XXXXXX").native();
  if (::mkdtemp(pattern.data()) == nullptr) std::exit(1);
  const std::filesystem::path folder = pattern;
  const auto made = cluster::make_cluster(folder);
  const auto added = cluster::add_host(folder, {.name = "beta", .addresses = {*Address::parse("192.0.2.1")}});
  auto identity = cluster::load_identity(folder / "beta");
  std::filesystem::remove_all(folder);
  if (!made || !added || !identity) std::exit(1);
  return *std::move(identity);
}

void shake_hands(SSL_CTX* context, const Fd& fd) {
  SSL* ssl = SSL_new(context);
  SSL_set_fd(ssl, fd.get());
  std::array<char, 256> answer;
  // The refusal is what its host has had work with, so it is waited for.
  if (SSL_connect(ssl) == 1) SSL_read(ssl, answer.data(), answer.size());
  SSL_free(ssl);
}

void flood(const Target& target, const std::string& kind, SSL_CTX* context, const std::atomic<bool>& over,
           std::atomic<long>& made) {
  std::deque<Fd> held;
  const std::string nonsense(4096, 'x');
  while (!over) {
    Fd fd = dial(target);
    if (!fd) continue;
    ++made;
    if (kind == "handshake") {
      shake_hands(context, fd);
      continue;
    }
    if (kind == "garbage") ::send(fd.get(), nonsense.data(), nonsense.size(), MSG_NOSIGNAL);
    held.push_back(std::move(fd));
    if (held.size() > held_by_each) held.pop_front();
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 5) return 2;
  const auto to = Endpoint::parse(std::string(argv[1]) + ":" + argv[2]);
  const auto source = Address::parse(argv[3]);
  if (!to || !source) return 2;
  ::signal(SIGPIPE, SIG_IGN);
  Target target;
  target.size = to->to_sockaddr(AF_INET, target.address);
  Endpoint{*source, 0}.to_sockaddr(AF_INET, target.source);
  const cluster::Identity ours = identity();
  SSL_CTX* context = SSL_CTX_new(TLS_client_method());
  SSL_CTX_use_certificate(context, ours.certificate.get());
  SSL_CTX_use_PrivateKey(context, ours.key.get());
  std::atomic<bool> over = false;
  std::atomic<long> made = 0;
  std::vector<std::thread> floods;
  for (int i = 0; i < threads; ++i)
    floods.emplace_back([&, kind = std::string(argv[4])] { flood(target, kind, context, over, made); });
  while (std::getchar() != EOF) {
  }
  over = true;
  for (std::thread& one : floods) one.join();
  std::printf("%ld\n", made.load());
  SSL_CTX_free(context);
}
