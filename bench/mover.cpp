#include "mover.h"

#include <poll.h>
#include <sys/socket.h>

#include <stdexcept>

namespace sockswap::bench {

lab::Cluster three_hosts(const lab::LinkQuality& link) {
  lab::LabOptions options{.name = "bench", .hosts = {}};
  for (const char* name : {"alpha", "beta", "gamma"}) options.hosts.push_back({.name = name, .link = link});
  auto cluster = lab::Cluster::start(options, SOCKSWAPD, {"--log-level", "error"});
  if (!cluster) throw std::runtime_error(cluster.error().text() + " " + cluster.error().hint);
  return *std::move(cluster);
}

Mover::Mover(lab::Cluster& cluster) : cluster_(cluster) {
  for (const char* host : {"beta", "gamma"}) {
    Client client = cluster.host(host).inside([] { return Client("/run/sockswap/control.sock"); });
    client.register_receiver("bench");
    clients_.emplace(host, std::move(client));
  }
}

Fd Mover::listen(std::uint16_t port) {
  where_ = "beta";
  return cluster_.host("beta").inside([&] {
    Fd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const int on = 1;
    ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    sockaddr_storage address{};
    const socklen_t size = Endpoint{cluster_.host("beta").v4(), port}.to_sockaddr(AF_INET, address);
    if (::bind(fd.get(), reinterpret_cast<sockaddr*>(&address), size) != 0 || ::listen(fd.get(), 4) != 0)
      throw std::runtime_error("can't listen on beta");
    return fd;
  });
}

Fd Mover::accept_from(const Fd& listener) {
  pollfd wait{listener.get(), POLLIN, 0};
  if (::poll(&wait, 1, 10'000) != 1) throw std::runtime_error("nobody dialled");
  return Fd(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
}

Fd Mover::move(Fd fd, const std::function<void(std::string_view step)>& at_step) {
  settle();
  const std::string to = where_ == "beta" ? "gamma" : "beta";
  giving_ = std::async(std::launch::async, [&from = clients_.at(where_), to, at_step, number = fd.release()] {
    MoveOptions options;
    if (at_step) options.progress = [&](const char* step, double) { at_step(step); };
    from.move(number, to, "bench", {}, options);  // which closes it
  });
  auto event = clients_.at(to).next(std::chrono::seconds(10));
  if (!event) {
    settle();  // says why, as a rule
    throw std::runtime_error("the end didn't arrive");
  }
  where_ = to;
  return Fd(std::get<Arrival>(*event).take_fd());
}

void Mover::settle() {
  if (giving_.valid()) giving_.get();
}

}  // namespace sockswap::bench
