#include "keeper/server.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <fstream>
#include <optional>

#include "base/credentials.h"
#include "base/log.h"
#include "keep/channel.h"
#include "keep/client.h"
#include "keep/launch.h"
#include "keeper/keeper.h"
#include "keeper/orphans.h"
#include "wire/errors.h"

namespace sockswap::keeper {
namespace {

using Clock = std::chrono::steady_clock;
using wire::keeper::Reply;
using wire::keeper::Request;

// A daemon waits for its answer, so it reads it; one that doesn't for so long has gone wrong.
constexpr std::chrono::milliseconds send_patience{1000};

Result<Fd> signals_of_ours() {
  sigset_t signals;
  ::sigemptyset(&signals);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP}) ::sigaddset(&signals, signal);
  if (::sigprocmask(SIG_BLOCK, &signals, nullptr) != 0) return system_failure(errno, "block signals");
  Fd fd(::signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!fd) return system_failure(errno, "make a signalfd", ErrorCode::no_resources);
  return fd;
}

Result<Fd> take_listener(const Settings& settings) {
  if (::sd_listen_fds(1) == 1) return Fd(SD_LISTEN_FDS_START);
  std::error_code error;
  std::filesystem::create_directories(settings.run, error);
  if (error)
    return failure(ErrorCode::internal, fmt::format("create {}: {}", settings.run.string(), error.message()));
  return keep::listen_at(settings.run / "keeper.sock");
}

Result<std::string> new_life() {
  std::string life;
  if (std::getline(std::ifstream("/proc/sys/kernel/random/uuid"), life) && life.size() == 36) return life;
  return failure(ErrorCode::unsupported, "the kernel gives no UUID", "is /proc mounted?");
}

class Server {
 public:
  Server(const Settings& settings, std::string life, HostAddresses addresses, Fd listener, Fd signals)
      : settings_(settings),
        life_(std::move(life)),
        addresses_(std::move(addresses)),
        keeper_(addresses_, settings.hold_limit),
        listener_(std::move(listener)),
        signals_(std::move(signals)) {}

  void run() {
    while (!ending_) {
      enum : std::size_t { signal, daemon, newcomer };
      std::array<pollfd, 3> watched{{{.fd = signals_.get(), .events = POLLIN, .revents = 0},
                                     {.fd = daemon_ ? daemon_->fd() : -1, .events = POLLIN, .revents = 0},
                                     {.fd = listener_.get(), .events = POLLIN, .revents = 0}}};
      if (::poll(watched.data(), watched.size(), timeout()) < 0 && errno != EINTR) break;
      // The daemon before its successor: its end is seen first, and what it asked for before it.
      if (watched[daemon].revents != 0) serve_daemon();
      if (watched[newcomer].revents != 0) let_in();
      if (watched[signal].revents != 0) on_signal();
      keeper_.on_time(Clock::now());
      if (is_idle() && Clock::now() >= idle_since_ + settings_.idle_limit) ending_ = true;
    }
    keeper_.end_all();
  }

 private:
  bool is_idle() const { return settings_.transient && !daemon_ && keeper_.empty(); }

  int timeout() const {
    auto next = keeper_.next_deadline();
    if (is_idle())
      next = std::min(next.value_or(Clock::time_point::max()), idle_since_ + settings_.idle_limit);
    if (!next) return -1;
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(*next - Clock::now()).count();
    return static_cast<int>(std::clamp<std::int64_t>(left, 0, 60'000));
  }

  void on_signal() {
    signalfd_siginfo info{};
    if (::read(signals_.get(), &info, sizeof info) != sizeof info) return;
    if (info.ssi_signo != SIGHUP) {
      log::info("the keeper ends on signal {}", info.ssi_signo);
      ending_ = true;
    } else if (auto reloaded = addresses_.reload(); !reloaded) {
      log::error("hosts.toml is not taken over: {}", reloaded.error().text());
    }
  }

  // ---- whoever connects ----

  void let_in() {
    Fd socket(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    if (!socket) return;
    const auto credentials = peer_credentials(socket.get());
    auto channel = keep::Channel::make(std::move(socket), send_patience);
    if (!credentials || !channel) return;
    if (credentials->uid != ::geteuid()) {
      log::warn("process {} of user {} may not connect to the keeper", credentials->pid, credentials->uid);
      return;
    }
    if (daemon_) {
      refuse(*channel, {ErrorCode::busy,
                        fmt::format("another sockswapd, process {}, is connected to the keeper", daemon_pid_),
                        "one daemon a host: stop the other first", 0});
      return;
    }
    daemon_ = *std::move(channel);
    daemon_pid_ = credentials->pid;
    greeted_ = false;
    keeper_.set_daemon(daemon_pid_);
  }

  static void refuse(keep::Channel& channel, const Error& error) {
    Reply reply;
    wire::to_message(error, *reply.mutable_failed());
    static_cast<void>(channel.send(reply.SerializeAsString(), {}, {}));
  }

  void lose_daemon(const Error& why) {
    log::info("sockswapd (process {}) has gone: {}", daemon_pid_, why.text());
    daemon_.reset();
    alive_.reset();
    keeper_.set_daemon(0);
    idle_since_ = Clock::now();
  }

  // ---- the daemon ----

  void serve_daemon() {
    while (daemon_ && !ending_) {
      auto incoming = daemon_->receive(Wait::never);
      if (!incoming) return lose_daemon(incoming.error());
      if (!*incoming) return;
      if (auto served = serve_one(**std::move(incoming)); !served) return lose_daemon(served.error());
      keeper_.on_time(Clock::now());  // one that asks without end doesn't keep it from coming
    }
  }

  Result<> serve_one(keep::Incoming incoming) {
    Request request;
    if (!request.ParseFromString(incoming.message))
      return failure(ErrorCode::usage, "it sent a request that is none");
    if (request.body_case() == Request::kHello) return welcome(request.hello());
    if (!greeted_) return failure(ErrorCode::usage, "it didn't say hello");
    if (incoming.cut) {
      refuse(*daemon_, no_room_for_descriptors().while_doing("the keeper"));
      return {};
    }
    std::vector<ForeignFd> fds;
    for (Fd& fd : incoming.fds) fds.emplace_back(std::move(fd));
    const Answer answer = keeper_.serve(request, std::move(incoming.attachments), std::move(fds));
    auto sent = reply(answer);
    if (request.body_case() == Request::kGoodbye) on_goodbye();
    return sent;
  }

  Result<> reply(const Answer& answer) {
    answer.reply.SerializeToString(&encoded_);
    std::uint64_t bytes = 0;
    for (const ByteView attachment : answer.attachments) bytes += attachment.size();
    if (encoded_.size() > wire::keeper_limits.message_bytes / 2 ||
        bytes > wire::keeper_limits.attachment_bytes) {
      refuse(*daemon_, {ErrorCode::too_large, "the keeper's answer is too long for one message", "", 0});
      return {};
    }
    return daemon_->send(encoded_, answer.attachments, answer.fds);
  }

  Result<> welcome(const wire::keeper::Hello& hello) {
    Answer answer;
    answer.reply.mutable_welcome()->set_version(keep::protocol_version);
    answer.reply.mutable_welcome()->set_life(life_);
    std::array<int, 2> pipe{};
    if (::pipe2(pipe.data(), O_CLOEXEC) != 0)
      return system_failure(errno, "make a pipe", ErrorCode::no_resources);
    const Fd reading(pipe[0]);
    alive_ = Fd(pipe[1]);
    answer.fds.push_back(reading.get());
    greeted_ = hello.version() == keep::protocol_version;
    return reply(answer);
  }

  // The daemon may not remove its own socket: it has no rights to the folder any more.
  void on_goodbye() {
    ::unlink((settings_.run / "control.sock").c_str());
    ending_ = settings_.transient;
  }

  const Settings settings_;
  const std::string life_;
  HostAddresses addresses_;
  Keeper keeper_;
  Fd listener_;
  Fd signals_;
  std::optional<keep::Channel> daemon_;
  pid_t daemon_pid_ = 0;
  bool greeted_ = false;
  Fd alive_;  // the writing end of the daemon's pipe
  Clock::time_point idle_since_ = Clock::now();
  std::string encoded_;
  bool ending_ = false;
};

}  // namespace

Result<> serve(const Settings& settings) {
  SOCKSWAP_TRY(HostAddresses addresses, HostAddresses::load(settings.config));
  SOCKSWAP_TRY(Fd signals, signals_of_ours());
  SOCKSWAP_TRY(Fd listener, take_listener(settings));
  SOCKSWAP_TRY(std::string life, new_life());
  if (auto rescued = rescue_orphans(socket::real_kernel()); !rescued)
    log::error("what a killed keeper may have left frozen isn't thawed: {}", rescued.error().text());
  Server server(settings, std::move(life), std::move(addresses), std::move(listener), std::move(signals));
  log::info("the keeper is ready");
  ::sd_notify(0, "READY=1");
  server.run();
  // Its socket's file stays: a daemon that starts finds nobody behind it, and removes it.
  return {};
}

}  // namespace sockswap::keeper
