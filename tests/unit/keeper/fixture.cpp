#include "fixture.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <thread>

#include "cluster/authority.h"
#include "support/tcp_pair.h"

namespace sockswap::keeper {

KeeperProcess::KeeperProcess(std::vector<std::string> more_arguments) {
  std::string pattern = (std::filesystem::temp_directory_path() / "sockswap-keeper.XXXXXX").native();
  if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("mkdtemp");
  folder_ = pattern;
  must(cluster::make_cluster(folder_ / "cluster"));
  const auto address = [](const char* text) { return Address::parse(text).value(); };
  must(cluster::add_host(folder_ / "cluster", {.name = "alpha", .addresses = {address("10.77.0.1")}}));
  must(cluster::add_host(folder_ / "cluster", {.name = "beta", .addresses = {address("10.77.0.2")}}));
  std::vector<std::string> arguments{
      KEEPER, "--run", folder_.native(), "--config", folder_ / "cluster" / "alpha", "--log-level", "warn"};
  arguments.insert(arguments.end(), more_arguments.begin(), more_arguments.end());
  std::vector<char*> argv;
  for (std::string& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  pid_ = ::fork();
  if (pid_ == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    ::execv(KEEPER, argv.data());
    ::_exit(127);
  }
}

KeeperProcess::~KeeperProcess() {
  if (pid_ > 0) {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

keep::Client KeeperProcess::connect() const {
  for (int i = 0;; ++i) {
    auto client = keep::Client::connect(socket());
    if (client) return *std::move(client);
    if (i == 10000) throw std::runtime_error(client.error().text());
    std::this_thread::sleep_for(1ms);
  }
}

Fd KeeperProcess::connect_raw() const {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  socket().native().copy(address.sun_path, sizeof address.sun_path - 1);
  Fd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  EXPECT_EQ(::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  return fd;
}

void KeeperProcess::signal(int number) const { ::kill(pid_, number); }

int KeeperProcess::await_exit() {
  int status = -1;
  EXPECT_EQ(::waitpid(pid_, &status, 0), pid_);
  pid_ = 0;
  return status;
}

bool KeeperProcess::running() {
  if (pid_ == 0) return false;
  if (::waitpid(pid_, nullptr, WNOHANG) != pid_) return true;
  pid_ = 0;
  return false;
}

std::unique_ptr<process::Child> echoing_program() {
  auto program = std::make_unique<process::Child>([](const process::World& world) {
    world.ready();
    char bytes[65536];
    for (;;) {
      pollfd readable{.fd = world.socket, .events = POLLIN, .revents = 0};
      if (::poll(&readable, 1, 1) < 0) world.say("poll failed");
      world.progress->fetch_add(1);
      if (readable.revents == 0) continue;
      const ssize_t got = ::recv(world.socket, bytes, sizeof bytes, 0);
      if (got <= 0) {
        world.say("its connection has ended");
        ::pause();
      }
      if (::send(world.socket, bytes, static_cast<std::size_t>(got), MSG_NOSIGNAL) != got)
        world.say("send failed");
    }
  });
  program->await_ready();
  return program;
}

std::string talk_with(int fd, const std::string& words) {
  if (::send(fd, words.data(), words.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(words.size())) return "?";
  std::string heard;
  while (heard.size() < words.size()) {
    pollfd readable{.fd = fd, .events = POLLIN, .revents = 0};
    if (::poll(&readable, 1, 5000) != 1) break;
    char bytes[65536];
    const ssize_t got = ::recv(fd, bytes, sizeof bytes, MSG_DONTWAIT);
    if (got <= 0) break;
    heard.append(bytes, static_cast<std::size_t>(got));
  }
  return heard;
}

Move::Move(keep::Client& with_client, const process::Child& program)
    : client(&with_client), moving(::fcntl(program.peer(), F_DUPFD_CLOEXEC, 3)) {
  static std::uint8_t last = 0;
  id.octets[0] = ++last;
  tuple = {test::local_of(moving), test::remote_of(moving)};
}

void Move::find() const {
  const keep::Sought sought{.index = 0, .tuple = tuple.flipped()};
  must(client->find(id, std::span(&sought, 1)));
}

void Move::reserve() {
  const keep::Arriving arriving{
      .former = tuple, .family = AF_INET, .wanted = tuple.local, .remote = tuple.remote};
  arrived = must(client->reserve(id, std::span(&arriving, 1))).front();
}

void Move::freeze() {
  const int fd = moving.get();
  frozen = must(client->freeze_moving(id, std::span(&fd, 1), 1 << 28));
}

Result<keep::HeldStaying> Move::hold(keep::Arbiter arbiter) const {
  const keep::FrozenMoving& end = frozen.front();
  const keep::Holding holding{.index = 0,
                              .moving = end.position,
                              .new_local = tuple.remote,
                              .new_remote = arrived,
                              .in_flight = end.in_flight};
  return client->hold(id, arbiter, std::span(&holding, 1));
}

void Move::rebuild() const {
  google::protobuf::RepeatedPtrField<wire::Image> images;
  *images.Add() = frozen.front().image;
  std::vector<Bytes> queues{frozen.front().received, frozen.front().unsent};
  must(client->rebuild(id, images, queues));
}

Fd Move::let_go() const {
  auto gone = must(client->let_go(id, {}, ::getuid()));
  EXPECT_TRUE(gone.lost.empty());
  if (gone.live.size() != 1) throw std::runtime_error("not one end is live");
  return std::move(gone.live.front().fd);
}

std::vector<std::pair<wire::Role, keep::Stage>> kept(keep::Client& client) {
  std::vector<std::pair<wire::Role, keep::Stage>> out;
  for (const keep::KeptMove& move : must(client.inventory()).moves) out.emplace_back(move.role, move.stage);
  return out;
}

}  // namespace sockswap::keeper
