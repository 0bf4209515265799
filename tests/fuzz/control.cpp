// What programs may send to the control socket: a real session and a real Program behind it, with everything
// of the daemon but its ports. The first byte chooses the user, the second how large the pieces are, the
// third which descriptors come with the first of them.
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <optional>
#include <vector>

#include "base/log.h"
#include "base/rights.h"
#include "cluster/authority.h"
#include "daemon/hand_overs.h"
#include "daemon/parking.h"
#include "daemon/program.h"
#include "input.h"
#include "keeper/server.h"
#include "quiet.h"

namespace sockswap::fuzz {
namespace {

constexpr int kProgramsPerHost = 256;

// The daemon of host alpha. Its cluster has another host, at whose port nobody listens.
class Host {
 public:
  Host() {
    log::set_up("fuzz", "off");
    must(cluster::make_cluster(folder_.path()));
    must(cluster::add_host(folder_.path(),
                           {.name = "alpha", .addresses = {*Address::parse("127.7.7.1")}, .port = 1}));
    must(cluster::add_host(folder_.path(),
                           {.name = "beta", .addresses = {*Address::parse("127.7.7.2")}, .port = 1}));
    hosts_ = must(cluster::HostTable::load(folder_.path() / "hosts.toml"));
    identity_ = must(cluster::load_identity(folder_.path() / "alpha"));
    mesh_ = must(mesh::Mesh::make(
        io_, hosts_, identity_,
        {.message = [this](mesh::Incoming incoming) { moves_->on_message(std::move(incoming)); },
         .lost =
             [this](const std::string& host, const Error& error) {
               moves_->on_host_lost(host, error);
               parking_->on_host_lost(host, error);
             }}));
    start_keeper();
    move::Replay replay;
    journal_ = must(daemon::JournalFile::open(folder_.path(), keeper_->life(), replay));
    context_.emplace(
        daemon::Context{io_, hosts_, "alpha", *keeper_, *journal_, *mesh_, locks_, receivers_, history_});
    moves_.emplace(*context_);
    hand_overs_.emplace(*context_, *moves_);
    parking_.emplace(*context_, *moves_);
    receivers_.on_gone = [this](const std::string& name) { moves_->on_receiver_gone(name); };
  }

  ~Host() {
    must(keeper_->goodbye());
    ::waitpid(keeping_, nullptr, 0);
  }
  Host(const Host&) = delete;
  Host& operator=(const Host&) = delete;

  // A program that is served until it hangs up.
  void serve(int socket, uid_t uid, const std::function<void()>& speak) {
    auto session = std::make_shared<daemon::ControlSession>(
        asio::local::stream_protocol::socket(io_, asio::local::stream_protocol(), socket),
        daemon::Credentials{.pid = ::getpid(), .uid = uid});
    auto program = std::make_shared<daemon::Program>(
        daemon::Services{*context_, *moves_, *hand_overs_, *parking_}, std::move(session));
    hand_overs_->add(program);
    bool gone = false;
    program->start([&gone] { gone = true; });
    speak();
    for (int turns = 0; !gone && turns < kMostTurns; ++turns) turn();
    require(gone, "a program that hangs up is let go");
    program.reset();
    turn();
  }

  void turn() {
    io_.restart();
    io_.poll();
  }

 private:
  static constexpr int kMostTurns = 10'000;

  // A real one, until Goodbye.
  void start_keeper() {
    keeping_ = ::fork();
    if (keeping_ == 0) {
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      ::_exit(keeper::serve({.config = folder_.path() / "alpha", .run = folder_.path(), .transient = true})
                  ? 0
                  : 1);
    }
    for (;;) {
      auto client = keep::Client::connect(folder_.path() / "keeper.sock");
      if (client) {
        keeper_ = *std::move(client);
        return;
      }
      ::usleep(1000);
    }
  }

  ScratchFolder folder_;
  cluster::HostTable hosts_;
  cluster::Identity identity_;
  asio::io_context io_{1};
  daemon::ConnectionLocks locks_;
  daemon::Receivers receivers_;
  daemon::History history_;
  std::unique_ptr<mesh::Mesh> mesh_;
  pid_t keeping_ = 0;
  std::optional<keep::Client> keeper_;
  std::optional<daemon::JournalFile> journal_;
  std::optional<daemon::Context> context_;
  std::optional<daemon::Moves> moves_;
  std::optional<daemon::HandOvers> hand_overs_;
  std::optional<daemon::Parking> parking_;
};

// Two ends of a connection over loopback, both ours.
struct Connection {
  Connection() {
    const Fd listener(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* at = reinterpret_cast<sockaddr*>(&address);
    client = Fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    require(::bind(listener.get(), at, size) == 0 && ::listen(listener.get(), 1) == 0 &&
                ::getsockname(listener.get(), at, &size) == 0 && ::connect(client.get(), at, size) == 0,
            "a connection");
    server = Fd(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
  }
  Fd client, server;
};

std::vector<int> choose(std::uint8_t which, const Connection& connection) {
  static const Fd no_socket(::open("/dev/null", O_RDWR | O_CLOEXEC));
  std::vector<int> fds;
  if (which & 1) fds.push_back(connection.client.get());
  if (which & 2) fds.push_back(no_socket.get());
  if (which & 4) fds.push_back(connection.server.get());
  if (which & 8) fds.insert(fds.end(), 100, connection.client.get());
  return fds;
}

void speak(Host& host, int socket, Input input, const Connection& connection) {
  const std::size_t piece = input.byte() == 0 ? 4096 : 64;
  std::vector<int> fds = choose(input.byte(), connection);
  while (!input.empty()) {
    const auto sent = send_some(socket, input.take(piece), fds);
    if (!sent) return;  // it has hung up on us
    fds.clear();
    host.turn();
  }
}

}  // namespace
}  // namespace sockswap::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sockswap;
  using namespace sockswap::fuzz;
  static const Connection connection;
  // Root may park without limit: a new daemon now and then.
  static std::unique_ptr<Host> host;
  static int programs = 0;
  if (programs++ % kProgramsPerHost == 0) host = std::make_unique<Host>();
  Input input(data, size);
  const uid_t uid = input.byte() % 2 == 0 ? 0 : 65534;
  int ends[2];
  require(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) == 0, "two sockets");
  Fd ours(ends[0]);
  host->serve(ends[1], uid, [&] {
    speak(*host, ours.get(), input, connection);
    ours.reset();
  });
  return 0;
}
