#include "daemon/daemon.h"

#include <fmt/format.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include <asio/posix/stream_descriptor.hpp>
#include <asio/post.hpp>
#include <asio/steady_timer.hpp>
#include <csignal>

#include "base/log.h"
#include "cluster/files.h"
#include "daemon/confine.h"
#include "daemon/control_server.h"
#include "daemon/hand_overs.h"
#include "daemon/keeper_link.h"
#include "daemon/parking.h"

namespace sockswap::daemon {
namespace {

Result<cluster::HostTable> parse_hosts(const Settings& settings, std::string_view text,
                                       const std::string& self) {
  const std::filesystem::path file = settings.config / "hosts.toml";
  SOCKSWAP_TRY(cluster::HostTable hosts, cluster::HostTable::parse(text, file.native()));
  if (hosts.find(self) == nullptr)
    return failure(ErrorCode::unknown_host,
                   fmt::format("{} doesn't list this host, '{}'", file.string(), self),
                   "copy the cluster's current hosts.toml here (`sockswap cluster add` wrote it)");
  return hosts;
}

constexpr std::chrono::seconds redial_interval{3};

class Daemon {
 public:
  Daemon(const Settings& settings, cluster::HostTable hosts, std::string self)
      : settings_(settings), traps_(settings.traps), hosts_(std::move(hosts)), self_(std::move(self)) {}

  Result<> start(const cluster::Identity& identity) {
    SOCKSWAP_TRY(
        mesh_,
        Mesh::make(io_, hosts_, identity,
                   {.message = [this](Incoming incoming) { on_message(std::move(incoming)); },
                    .lost = [this](const std::string& host, const Error& error) { on_lost(host, error); }}));
    SOCKSWAP_CHECK(mesh_->listen());
    std::error_code error;
    std::filesystem::create_directories(settings_.run, error);
    if (error)
      return failure(ErrorCode::internal,
                     fmt::format("create {}: {}", settings_.run.string(), error.message()));
    SOCKSWAP_CHECK(reach_the_keeper());
    move::Replay replay;
    SOCKSWAP_TRY(journal_, JournalFile::open(settings_.run, keeper_->life(), replay));
    context_.emplace(Context{io_, hosts_, self_, *keeper_, *journal_, *mesh_, locks_, receivers_, history_});
    if (!traps_.empty())
      history_.on_step = [this](std::string_view role, std::string_view step) { traps_.reached(role, step); };
    moves_.emplace(*context_);
    hand_overs_.emplace(*context_, *moves_);
    parking_.emplace(*context_, *moves_);
    receivers_.on_added = [this](const std::string& name) {
      asio::post(io_, [this, name] { moves_->on_receiver_added(name); });
    };
    receivers_.on_gone = [this](const std::string& name) { moves_->on_receiver_gone(name); };
    control_.emplace(Services{*context_, *moves_, *hand_overs_, *parking_});
    SOCKSWAP_CHECK(control_->listen(settings_.run / "control.sock"));
    SOCKSWAP_CHECK(give_up_rights(settings_.user));
    SOCKSWAP_CHECK(moves_->restore(replay));
    SOCKSWAP_CHECK(parking_->restore());
    keep_sessions();
    wait_for_signal();
    return {};
  }

  // What libraries throw (no memory, as a rule) ends the daemon in order: frozen ends thaw, programs run on.
  Result<> run() {
    log::info("{} is ready", self_);
    ::sd_notify(0, "READY=1");
    Result<> outcome;
    try {
      io_.run();
    } catch (const std::exception& thrown) {
      outcome =
          failure(ErrorCode::internal, fmt::format("{} gives up: {}", self_, thrown.what()),
                  "what it held is thawed; `sockswap moves` of the other hosts shows what was under way");
    }
    control_->close();
    // Goodbye undoes what isn't swapped, and some of it may be promised: then it stays with the keeper, as if
    // this daemon had been killed, and the next one goes on with it.
    if (!moves_->empty() || !parking_->empty()) {
      log::warn("moves are under way, or ends are parked: the keeper keeps them for the next sockswapd");
    } else if (auto said = keeper_->goodbye(); !said) {
      log::warn("{}", said.error().text());
    }
    return outcome;
  }

 private:
  Result<> reach_the_keeper() {
    SOCKSWAP_TRY(keeper_, reach_keeper({.config = settings_.config,
                                        .run = settings_.run,
                                        .program = settings_.keeper,
                                        .log_level = settings_.log_level}));
    keeper_->on_broken = end_at_once;
    alive_.assign(::dup(keeper_->alive()));
    alive_.async_wait(asio::posix::stream_descriptor::wait_read, [](const asio::error_code& error) {
      if (!error) end_at_once({ErrorCode::no_daemon, "the keeper has ended", "", 0});
    });
    return {};
  }

  // Nothing is said to anybody any more: nobody knows what the keeper has done last.
  [[noreturn]] static void end_at_once(const Error& error) {
    log::error("sockswapd ends: {}", error.text());
    spdlog::shutdown();
    ::_exit(static_cast<int>(error.code));
  }

  Result<cluster::HostTable> read_hosts() {
    SOCKSWAP_TRY(const std::string text, keeper_->read_hosts());
    return parse_hosts(settings_, text, self_);
  }

  void on_message(Incoming incoming) {
    switch (incoming.message.body_case()) {
      case wire::Message::kFetch: parking_->on_fetch(incoming.host, incoming.message.fetch()); return;
      case wire::Message::kFetchRefused:
        parking_->on_fetch_refused(incoming.host, incoming.message.fetch_refused());
        return;
      default: moves_->on_message(std::move(incoming)); return;
    }
  }

  void on_lost(const std::string& host, const Error& error) {
    log::warn("{}: {}", host, error.text());
    moves_->on_host_lost(host, error);
    parking_->on_host_lost(host, error);
  }

  // Sessions are dialled ahead, and again when they are lost: a move doesn't wait for handshakes.
  void keep_sessions() {
    for (const auto& [name, host] : hosts_.hosts())
      if (name != self_ && mesh_->state(name).phase != HostState::Phase::connected) mesh_->open(name);
    redial_.expires_after(redial_interval);
    redial_.async_wait([this](const asio::error_code& error) {
      if (!error) keep_sessions();
    });
  }

  void wait_for_signal() {
    signals_.async_wait([this](const asio::error_code& error, int signal) {
      if (error) return;
      if (signal != SIGHUP) {
        log::info("{} ends on signal {}", self_, signal);
        io_.stop();
        return;
      }
      if (auto hosts = read_hosts()) {
        hosts_ = *std::move(hosts);
        mesh_->reload(hosts_);
        log::info("hosts.toml is read again: {} hosts", hosts_.hosts().size());
      } else {
        log::error("hosts.toml is not taken over: {}", hosts.error().text());
      }
      wait_for_signal();
    });
  }

  const Settings settings_;
  Traps traps_;
  cluster::HostTable hosts_;
  const std::string self_;
  asio::io_context io_{1};
  asio::signal_set signals_{io_, SIGTERM, SIGINT, SIGHUP};
  asio::steady_timer redial_{io_};
  ConnectionLocks locks_;
  Receivers receivers_;
  History history_;
  std::unique_ptr<Mesh> mesh_;
  std::optional<keep::Client> keeper_;
  asio::posix::stream_descriptor alive_{io_};
  std::optional<JournalFile> journal_;
  std::optional<Context> context_;
  std::optional<Moves> moves_;
  std::optional<HandOvers> hand_overs_;
  std::optional<Parking> parking_;
  std::optional<ControlServer> control_;
};

}  // namespace

Result<> serve(const Settings& settings) {
  SOCKSWAP_TRY(const cluster::Identity identity, cluster::load_identity(settings.config));
  SOCKSWAP_TRY(const std::string text, cluster::read_file(settings.config / "hosts.toml"));
  SOCKSWAP_TRY(cluster::HostTable hosts, parse_hosts(settings, text, identity.name));
  Daemon daemon(settings, std::move(hosts), identity.name);
  SOCKSWAP_CHECK(daemon.start(identity));
  return daemon.run();
}

}  // namespace sockswap::daemon
