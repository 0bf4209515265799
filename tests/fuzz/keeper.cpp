// What whoever has taken the daemon over may ask of the keeper: a real one behind a real channel, with a
// program at the other end of a connection, in a network of its own. The first byte says whether what follows
// are bytes of the channel or requests, each of them behind a byte that says how, one that counts its
// attachments, and their lengths. Whatever was asked: once the daemon has said goodbye nothing is kept, no
// program stands still, and the connection goes on unless it was to move.
#include "keeper/keeper.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <memory>
#include <vector>

#include "base/log.h"
#include "base/rights.h"
#include "cluster/authority.h"
#include "input.h"
#include "keep/channel.h"
#include "keeper_ports.h"
#include "quiet.h"
#include "wire/encoder.h"

namespace sockswap::fuzz {
namespace {

using wire::keeper::Reply;
using wire::keeper::Request;

void enter_a_network_of_its_own() {
  require(::unshare(CLONE_NEWNET) == 0, "a network of its own: root is missing?");
  const Fd any(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  ifreq loopback{};
  loopback.ifr_name[0] = 'l';
  loopback.ifr_name[1] = 'o';
  loopback.ifr_flags = IFF_UP;
  require(::ioctl(any.get(), SIOCSIFFLAGS, &loopback) == 0, "a loopback device");
}

Fd bound(std::uint16_t port) {
  Fd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const int on = 1;
  const linger at_once{.l_onoff = 1, .l_linger = 0};  // or the ports would be taken for a minute
  ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  ::setsockopt(fd.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  require(::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0, "a port");
  return fd;
}

// A program that echoes, and our end of its connection.
class Program {
 public:
  Program() {
    const Fd listener = bound(program_port);
    require(::listen(listener.get(), 1) == 0, "a listener");
    ours_ = bound(our_port);
    sockaddr_in address{};
    socklen_t size = sizeof address;
    require(::getsockname(listener.get(), reinterpret_cast<sockaddr*>(&address), &size) == 0 &&
                ::connect(ours_.get(), reinterpret_cast<const sockaddr*>(&address), size) == 0,
            "a connection");
    const Fd theirs(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
    const linger at_once{.l_onoff = 1, .l_linger = 0};
    ::setsockopt(theirs.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    process_ = ::fork();
    if (process_ == 0) echo(theirs.get());
  }
  ~Program() {
    ::kill(process_, SIGKILL);
    ::waitpid(process_, nullptr, 0);
  }
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  int fd() const { return ours_.get(); }
  bool echoes() const {
    char byte = 'e';
    if (::send(ours_.get(), &byte, 1, MSG_NOSIGNAL | MSG_DONTWAIT) != 1) return false;
    pollfd readable{.fd = ours_.get(), .events = POLLIN, .revents = 0};
    return ::poll(&readable, 1, patience_ms) == 1 && ::recv(ours_.get(), &byte, 1, MSG_DONTWAIT) == 1 &&
           byte == 'e';
  }

 private:
  static constexpr int patience_ms = 10'000;

  [[noreturn]] static void echo(int fd) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (int other = 3; other < 64; ++other)
      if (other != fd) ::close(other);
    char byte;
    while (::recv(fd, &byte, 1, 0) == 1) ::send(fd, &byte, 1, MSG_NOSIGNAL);
    ::_exit(0);
  }

  Fd ours_;
  pid_t process_ = 0;
};

class Scene {
 public:
  Scene() {
    log::set_up("fuzz", "off");
    enter_a_network_of_its_own();
    must(cluster::make_cluster(folder_.path()));
    must(cluster::add_host(folder_.path(), {.name = "alpha", .addresses = {*Address::parse("127.7.7.1")}}));
    must(cluster::add_host(folder_.path(), {.name = "beta", .addresses = {*Address::parse("127.7.7.2")}}));
    addresses_.emplace(must(keeper::HostAddresses::load(folder_.path() / "alpha")));
  }

  void play(Input input) {
    if (!program_) program_ = std::make_unique<Program>();
    int ends[2];
    require(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0, "two sockets");
    const Fd daemon(ends[0]);
    auto channel = must(keep::Channel::make(Fd(ends[1]), std::chrono::seconds(1)));
    keeper::Keeper keeper(*addresses_, std::chrono::minutes(1));
    moved_ = false;
    frozen_.Clear();
    if (input.byte() % 2 == 0) {
      const std::vector<int> fds = choose(input.byte());
      say(daemon, input.take(most_bytes), fds);
      serve(channel, keeper);
    } else {
      for (int requests = 0; !input.empty() && requests < most_requests; ++requests) {
        say_request(daemon, input);
        if (!serve(channel, keeper)) break;
      }
    }
    end(keeper);
  }

 private:
  static constexpr std::size_t most_bytes = 1 << 16;  // what a socket takes without a reader
  static constexpr int most_requests = 64;

  std::vector<int> choose(std::uint8_t which) const {
    static const Fd no_socket(::open("/dev/null", O_RDWR | O_CLOEXEC));
    std::vector<int> fds;
    if (which & 1) fds.push_back(program_->fd());
    if (which & 2) fds.push_back(no_socket.get());
    if (which & 4) fds.insert(fds.end(), 100, program_->fd());
    return fds;
  }
  static void say(const Fd& daemon, ByteView bytes, std::span<const int> fds) {
    if (bytes.empty()) return;
    const auto sent = send_some(daemon.get(), bytes, fds);
    require(sent && *sent, "the channel takes it");
  }
  void say_request(const Fd& daemon, Input& input) const {
    const std::uint8_t how = input.byte();
    const std::vector<int> fds = choose(how % 8);
    std::vector<ByteView> attachments(input.byte() % 4);
    for (ByteView& attachment : attachments) attachment = input.take(input.u16() % 4096);
    std::string message(text_of(input.take(input.u16() % 16384)));
    if (how & 8) agree(message, attachments);
    Bytes frames;
    wire::encode(frames, message, attachments, static_cast<std::uint8_t>(fds.size()), wire::keeper_limits);
    say(daemon, frames, fds);
  }

  // Hold and Rebuild say what Frozen has said: no mutation would guess a sequence number.
  void agree(std::string& message, std::vector<ByteView>& attachments) const {
    Request request;
    if (frozen_.ends().empty() || !request.ParseFromString(message)) return;
    const auto& end = frozen_.ends(0);
    if (request.has_hold() && request.hold().ends_size() == 1) {
      *request.mutable_hold()->mutable_ends(0)->mutable_moving() = end.position();
      attachments = {queues_[2]};
    } else if (request.has_rebuild() && request.rebuild().images_size() == 1) {
      *request.mutable_rebuild()->mutable_images(0) = end.image();
      attachments = {queues_[0], queues_[1]};
    } else {
      return;
    }
    message = request.SerializeAsString();
  }

  // As the server does. False if the connection has ended.
  bool serve(keep::Channel& channel, keeper::Keeper& keeper) {
    for (;;) {
      auto incoming = channel.receive(Wait::never);
      if (!incoming) return false;
      if (!*incoming) return true;
      Request request;
      if (!request.ParseFromString((*incoming)->message)) return false;
      std::vector<ForeignFd> fds;
      for (Fd& fd : (*incoming)->fds) fds.emplace_back(std::move(fd));
      note(request, keeper.serve(request, std::move((*incoming)->attachments), std::move(fds)));
    }
  }

  void note(const Request& request, const keeper::Answer& answer) {
    require(answer.reply.body_case() != Reply::BODY_NOT_SET, "every request has an answer");
    require(answer.fds.size() <= wire::keeper_limits.descriptors,
            "an answer's descriptors go into one message");
    require(answer.attachments.size() <= wire::keeper_limits.attachments, "an answer's attachments");
    if (answer.reply.has_frozen() && answer.attachments.size() >= 3) {
      frozen_ = answer.reply.frozen();
      queues_.clear();
      for (const ByteView queue : answer.attachments) queues_.emplace_back(queue.begin(), queue.end());
    }
    moved_ = moved_ || answer.reply.has_swapped() ||
             (request.body_case() == Request::kReleaseMoving && answer.reply.has_done());
  }

  void end(keeper::Keeper& keeper) {
    Request goodbye;
    goodbye.mutable_goodbye();
    require(keeper.serve(goodbye, {}, {}).reply.has_done(), "goodbye is said");
    Request list;
    list.mutable_list_kept();
    const keeper::Answer kept = keeper.serve(list, {}, {});
    require(kept.reply.kept().stored().empty(), "nothing is in store");
    for (const auto& move : kept.reply.kept().moves())
      require(move.stage() >= static_cast<std::uint32_t>(keep::Stage::resumed), "nothing is kept");
    if (moved_)
      program_.reset();
    else
      require(program_->echoes(), "the connection goes on");
  }

  ScratchFolder folder_;
  std::optional<keeper::HostAddresses> addresses_;
  std::unique_ptr<Program> program_;
  bool moved_ = false;  // re-pointed, or released
  wire::keeper::Frozen frozen_;
  std::vector<Bytes> queues_;  // with it
};

}  // namespace
}  // namespace sockswap::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sockswap::fuzz;
  static Scene scene;
  scene.play(Input(data, size));
  return 0;
}
