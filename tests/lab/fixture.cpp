#include "lab/fixture.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/sockios.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <stdexcept>
#include <thread>

#include "support/ramp.h"

namespace sockswap::test {
namespace {

constexpr int patience_ms = 20'000;
constexpr std::size_t piece = 1 << 17;

template <class Value>
Value must(Result<Value> result) {
  if (result) {
    if constexpr (std::is_void_v<Value>)
      return;
    else
      return *std::move(result);
  }
  throw std::runtime_error(result.error().text() + " " + result.error().hint);
}

void must(bool done, const char* what) {
  if (!done) throw std::runtime_error(fmt::format("{}: {}", what, std::strerror(errno)));
}

void wait_for(const Fd& fd, short events) {
  pollfd wait{fd.get(), events, 0};
  must(::poll(&wait, 1, patience_ms) == 1, "the stream stalled");
}

}  // namespace

bool Stayer::is_paused() const {
  std::string stat;
  std::getline(std::ifstream("/proc/" + std::to_string(process.pid()) + "/stat"), stat);
  const auto at = stat.rfind(") ");
  return at != std::string::npos && stat[at + 2] == 't';
}

std::string Stayer::verdict(std::size_t sent, std::size_t received) {
  const auto output = process.finish();
  if (!output) return output.error().text();
  const std::string wanted = fmt::format("sent {} received {}", sent, received);
  if (output->status.ok() && output->out.find(wanted) != std::string::npos) return {};
  return fmt::format("{}; it said '{}' and '{}', not '{}'", output->status.text(), output->out, output->err,
                     wanted);
}

lab::Topology LabTest::topology_ = lab::Topology::bridge;
LabTest::Names LabTest::hosts_ = {"alpha", "beta", "gamma"};

std::map<std::pair<lab::Topology, LabTest::Names>, lab::Cluster>& LabTest::clusters() {
  static std::map<std::pair<lab::Topology, Names>, lab::Cluster> all;
  return all;
}

lab::Cluster& LabTest::cluster() {
  const std::pair kind{topology_, hosts_};
  if (const auto known = clusters().find(kind); known != clusters().end()) return known->second;
  lab::LabOptions options{.name = "test", .hosts = {}, .topology = topology_};
  for (const std::string& name : hosts_) options.hosts.push_back({.name = name});
  return clusters().emplace(kind, must(lab::Cluster::start(options, SOCKSWAPD))).first->second;
}

void LabTest::use(lab::Topology topology, const Names& hosts) {
  topology_ = topology;
  hosts_ = hosts;
  if (::geteuid() == 0) cluster();
}

// Not by a static variable's end: OpenSSL's comes before that, and nothing would free what it keeps for the
// threads of the hosts.
class LabTest::Clusters : public ::testing::Environment {
 public:
  void TearDown() override {
    for (auto& [kind, one] : clusters()) end(one);
    clusters().clear();
  }

 private:
#ifdef SOCKSWAP_SANITIZED
  // Daemons and their keepers look for leaks when they end in order; a lab's end kills them.
  static void end(lab::Cluster& one) {
    must(one.end_daemons());
    for (const auto& there : one.lab().hosts())
      if (there->is_on())  // a keeper that keeps something stays
        (void)there->run(
            {"sh", "-c", "for i in $(seq 100); do pgrep -x sockswap-keeper || break; sleep 0.05; done"});
  }
#else
  static void end(lab::Cluster&) {}
#endif
};

::testing::Environment* const LabTest::at_the_end_ = ::testing::AddGlobalTestEnvironment(new Clusters);

void LabTest::SetUp() {
  if (::geteuid() != 0) GTEST_SKIP() << "root is missing: a lab needs namespaces of its own";
}

Client LabTest::client(const std::string& host_name) {
  return host(host_name).inside([] { return Client("/run/sockswap/control.sock"); });
}

Fd LabTest::listen_on(const std::string& host_name, const Endpoint& local) {
  return host(host_name).inside([&] {
    const int family = local.address.is_v4() ? AF_INET : AF_INET6;
    Fd fd(::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const int on = 1;
    ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    sockaddr_storage address{};
    const socklen_t size = local.to_sockaddr(family, address);
    must(::bind(fd.get(), reinterpret_cast<sockaddr*>(&address), size) == 0, "bind");
    must(::listen(fd.get(), 16) == 0, "listen");
    return fd;
  });
}

Fd LabTest::accept_from(const Fd& listener) {
  wait_for(listener, POLLIN);
  Fd fd(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
  must(static_cast<bool>(fd), "accept");
  return fd;
}

Fd LabTest::connect_from(const std::string& host_name, const Endpoint& to) {
  Fd fd = host(host_name).inside([&] {
    const int family = to.address.is_v4() ? AF_INET : AF_INET6;
    Fd socket(::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_storage address{};
    const socklen_t size = to.to_sockaddr(family, address);
    must(::connect(socket.get(), reinterpret_cast<sockaddr*>(&address), size) == 0, "connect");
    return socket;
  });
  const int flags = ::fcntl(fd.get(), F_GETFL);
  must(::fcntl(fd.get(), F_SETFL, flags | O_NONBLOCK) == 0, "fcntl");
  return fd;
}

LabTest::Connected LabTest::connect(const std::string& on, const std::string& from, bool stayer_connects,
                                    bool v6, bool mapped, const StayerOptions& options) {
  const std::uint16_t port = next_port();
  const Endpoint target{address(stayer_connects ? from : on, v6), port};
  lab::Command command{.argv = {STAYER, stayer_connects ? "connect" : "listen",
                                (mapped ? "mapped:" : "") + target.address.text(), std::to_string(port),
                                "--calls", options.calls, "--send", std::to_string(options.send), "--receive",
                                std::to_string(options.receive)}};
  if (options.read_late) command.argv.emplace_back("--read-late");
  if (options.write_late) command.argv.emplace_back("--write-late");
  command.in = command.out = command.err = lab::Stdio::pipe();
  command.user = options.user;
  std::optional<Fd> listener;
  if (stayer_connects) listener = listen_on(from, target);
  Stayer stayer{must(host(on).spawn(command))};
  const auto said = [&](std::string_view word) {
    const auto line = must(stayer.process.read_line());
    if (!line || *line != word)
      throw std::runtime_error(fmt::format("the stayer said '{}', not '{}': {}", line.value_or("nothing"),
                                           word, stayer.verdict(0, 0)));
  };
  if (stayer_connects) {
    Fd moving = accept_from(*listener);
    said("connected");
    return {std::move(stayer), std::move(moving)};
  }
  said("listening");
  Fd moving = connect_from(from, target);
  said("connected");
  return {std::move(stayer), std::move(moving)};
}

bool LabTest::can_call(const std::string& calls, const std::optional<lab::User>& user) {
  lab::Process asked = must(host("alpha").spawn({.argv = {STAYER, "can", calls}, .user = user}));
  const lab::ExitStatus status = must(asked.wait());
  if (!status.ok() && status.code != 77)
    throw std::runtime_error("asked for " + calls + ": " + status.text());
  return status.ok();
}

Said LabTest::sockswap(const std::string& on, std::vector<std::string> arguments,
                       const std::optional<lab::User>& user) {
  arguments.insert(arguments.begin(), SOCKSWAP);
  arguments.emplace_back("--json");
  lab::Process command = must(host(on).spawn(
      {.argv = std::move(arguments), .out = lab::Stdio::pipe(), .err = lab::Stdio::pipe(), .user = user}));
  Said said{must(command.finish()), {}};
  said.json = nlohmann::json::parse(said.output.out, nullptr, false);
  return said;
}

Fd LabTest::move(Fd fd, const std::string& from, const std::string& to, const std::string& receiver) {
  Client there = client(to);
  there.register_receiver(receiver);
  Client here = client(from);
  const std::string state = "state of " + receiver;
  (void)here.move(fd.release(), to, receiver, state);
  auto event = there.next(std::chrono::milliseconds(patience_ms));
  if (!event || !std::holds_alternative<Arrival>(*event)) throw std::runtime_error("no arrival");
  auto& arrival = std::get<Arrival>(*event);
  if (arrival.state().text() != state || arrival.count() != 1 || arrival.from() != from)
    throw std::runtime_error("another arrival than was sent");
  Fd arrived(arrival.take_fd());
  const int flags = ::fcntl(arrived.get(), F_GETFL);
  must(::fcntl(arrived.get(), F_SETFL, flags | O_NONBLOCK) == 0, "fcntl");
  return arrived;
}

std::uint16_t LabTest::next_port() {
  // Below the ephemeral range; not that of another test program's lab, which has a network of its own.
  static std::uint16_t port = 5000;
  return port++;
}

void send_ramp(const Fd& fd, std::size_t from, std::size_t count) {
  for (const std::size_t end = from + count; from < end;) {
    const Bytes bytes = ramp(from, std::min(piece, end - from));
    const ssize_t sent = ::send(fd.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0 && errno == EAGAIN) {
      wait_for(fd, POLLOUT);
      continue;
    }
    must(sent > 0, "send");
    from += static_cast<std::size_t>(sent);
  }
}

void receive_ramp(const Fd& fd, std::size_t from, std::size_t count) {
  Bytes buffer(piece);
  for (const std::size_t end = from + count; from < end;) {
    wait_for(fd, POLLIN);
    const ssize_t got = ::recv(fd.get(), buffer.data(), std::min(buffer.size(), end - from), MSG_DONTWAIT);
    must(got > 0, "recv");
    const std::size_t right = ramp_matches(from, ByteView(buffer).first(static_cast<std::size_t>(got)));
    if (right != static_cast<std::size_t>(got))
      throw std::runtime_error(fmt::format("byte {} is wrong", from + right));
    from += static_cast<std::size_t>(got);
  }
}

std::size_t fill(const Fd& fd, std::size_t from, std::size_t limit) {
  for (std::size_t done = 0; done < limit;) {
    const Bytes bytes = ramp(from + done, std::min(piece, limit - done));
    const ssize_t sent = ::send(fd.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent > 0) {
      done += static_cast<std::size_t>(sent);
      continue;
    }
    // Full for now; full for good if it stays so while the network is given time to carry some away.
    pollfd wait{fd.get(), POLLOUT, 0};
    if (::poll(&wait, 1, 150) == 0) return done;
  }
  throw std::runtime_error(fmt::format("the kernel took {} bytes and is not full", limit));
}

int queue_of(const Fd& fd, unsigned long request) {
  int bytes = 0;
  must(::ioctl(fd.get(), request, &bytes) == 0, "ioctl");
  return bytes;
}

void wait_for_queue(const Fd& fd, unsigned long request, int at_least) {
  const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(patience_ms);
  while (queue_of(fd, request) < at_least) {
    if (std::chrono::steady_clock::now() > until) throw std::runtime_error("the queue doesn't fill");
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

void wait_until_quiet(const Fd& fd, unsigned long request) {
  const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(patience_ms);
  for (int before = -1, bytes = 0; bytes != before || bytes == 0;) {
    before = bytes;
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    bytes = queue_of(fd, request);
    if (std::chrono::steady_clock::now() > until)
      throw std::runtime_error("the queue stays empty, or grows for ever");
  }
}

void finish_writing(const Fd& fd) { must(::shutdown(fd.get(), SHUT_WR) == 0, "shutdown"); }

void expect_end(const Fd& fd) {
  wait_for(fd, POLLIN);
  char byte = 0;
  must(::recv(fd.get(), &byte, 1, MSG_DONTWAIT) == 0, "the end of the stream");
}

}  // namespace sockswap::test
