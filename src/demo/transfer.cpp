#include "demo/transfer.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <thread>

#include "demo/receiver_log.h"

namespace sockswap::demo {
namespace {

using Json = nlohmann::json;
using Events = std::vector<ReceiverEvent>;

constexpr std::uint16_t port = 5001;
constexpr std::chrono::seconds patience{60};
constexpr std::chrono::milliseconds look_interval{5};

// Unmodified programs from Debian, each with a way of its own to wait for a socket.
Result<std::vector<std::string>> sender_of(const std::string& program, const std::string& path,
                                           const std::string& address) {
  if (program == "socat")
    return std::vector<std::string>{"socat", "-b",           "262144",
                                    "-u",    "OPEN:" + path, fmt::format("TCP4:{}:{}", address, port)};
  if (program == "nc")
    return std::vector<std::string>{"sh", "-c", fmt::format("exec nc -N {} {} < '{}'", address, port, path)};
  return failure(ErrorCode::usage, fmt::format("the demo doesn't know how to send with '{}'", program),
                 "socat and nc are known");
}

struct Latest {
  std::uint64_t bytes = 0;
  bool ended = false;
};
Latest latest(const Events& events) {
  Latest out;
  for (const ReceiverEvent& event : events) {
    out.bytes = std::max(out.bytes, event.bytes);
    out.ended = out.ended || event.name == "end";
  }
  return out;
}

// What `sockswap VERB … --json` on that host prints.
Result<Json> ask(lab::Host& host, const Options& options, std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), options.sockswap.string());
  arguments.emplace_back("--json");
  SOCKSWAP_TRY(const lab::Output output, host.run(arguments));
  Json json = Json::parse(output.out, nullptr, false);
  if (output.status.ok() && !json.is_discarded()) return json;
  const std::string what = fmt::format("`sockswap {}` on {}", arguments[1], host.name());
  const Json error = json.is_object() ? json.value("error", Json()) : Json();
  if (!error.is_object()) return failure(ErrorCode::internal, what + " " + output.status.text());
  return failure(static_cast<ErrorCode>(error.value("code", 1)),
                 fmt::format("{}: {}", what, error.value("message", "")), error.value("hint", ""));
}

Result<FourTuple> connection_on(lab::Host& host, const Options& options) {
  SOCKSWAP_TRY(const Json list, ask(host, options, {"ls"}));
  for (const Json& connection : list.value("connections", Json::array()))
    if (connection.value("receiver", Json()) == "receiver")
      return FourTuple::parse(connection.value("connection", ""));
  return failure(ErrorCode::not_found,
                 fmt::format("`sockswap ls` on {} doesn't list the connection", host.name()));
}

// Counts what a host still sees of a connection, from the moment at which it has left.
struct FormerHost {
  lab::PacketCounter incoming, outgoing;
  std::uint64_t before = 0;

  static Result<FormerHost> watch(lab::Host& host, const FourTuple& tuple) {
    SOCKSWAP_TRY(auto in, host.count(lab::PacketFilter::segments(tuple.remote, tuple.local)));
    SOCKSWAP_TRY(auto out, host.count(lab::PacketFilter::segments(tuple.local, tuple.remote)));
    return FormerHost{std::move(in), std::move(out), 0};
  }
  Result<std::uint64_t> count() const {
    SOCKSWAP_TRY(const std::uint64_t in, incoming.packets());
    SOCKSWAP_TRY(const std::uint64_t out, outgoing.packets());
    return in + out - before;
  }
};

class Run {
 public:
  Run(lab::Cluster& cluster, const Options& options, const Witness& witness)
      : cluster_(cluster), options_(options), witness_(witness) {}

  Result<Transfer> run(const std::string& program, const SourceFile& file);

 private:
  Result<> start_receivers();
  Result<> wait_for_bytes(std::uint64_t bytes);
  Result<> move(const std::string& from, const std::string& to);
  Result<> settle_former_host();
  void take_timeline();

  lab::Cluster& cluster_;
  const Options& options_;
  const Witness& witness_;
  ReceiverLog log_;
  Transfer transfer_;
  std::optional<FormerHost> former_;
  std::chrono::steady_clock::time_point began_;
};

Result<> Run::start_receivers() {
  for (const char* host : {"beta", "gamma"}) {
    lab::Command command{.argv = {options_.receiver.string()}, .out = lab::Stdio::pipe()};
    if (host == std::string_view("beta")) {
      command.argv.emplace_back("--listen");
      command.argv.emplace_back(std::to_string(port));
    }
    SOCKSWAP_TRY(lab::Process receiver, cluster_.host(host).spawn(command));
    log_.add(host, std::move(receiver), cluster_.host(host).clock_ahead());
  }
  return log_.wait(patience, [](const Events& events) {
    return std::ranges::count_if(events, [](const ReceiverEvent& event) {
             return event.name == "listening" || event.name == "waiting";
           }) == 2;
  });
}

Result<> Run::wait_for_bytes(std::uint64_t bytes) {
  const auto until = std::chrono::steady_clock::now() + patience * 10;
  auto shown = std::chrono::steady_clock::now();
  std::uint64_t shown_bytes = latest(log_.events()).bytes;
  for (;;) {
    const Events events = log_.events();
    const Latest now = latest(events);
    const auto at = std::chrono::steady_clock::now();
    if (at - shown > std::chrono::milliseconds(200)) {
      const double seconds = std::chrono::duration<double>(at - shown).count();
      witness_.progress(now.bytes, static_cast<double>(now.bytes - shown_bytes) * 8 / 1e6 / seconds,
                        events.empty() ? "" : events.back().host);
      shown = at;
      shown_bytes = now.bytes;
    }
    if (now.bytes >= bytes || now.ended) return {};
    if (at > until)
      return failure(ErrorCode::timed_out, fmt::format("the transfer stalled at {} bytes", now.bytes));
    std::this_thread::sleep_for(look_interval);
  }
}

// What the host that the end left before has seen of it since, up to now.
Result<> Run::settle_former_host() {
  if (!former_) return {};
  SOCKSWAP_TRY(const std::uint64_t packets, former_->count());
  transfer_.moves.back().packets_at_former_host = packets;
  transfer_.packets_at_former_host += packets;
  former_.reset();
  return {};
}

Result<> Run::move(const std::string& from, const std::string& to) {
  SOCKSWAP_TRY(const FourTuple tuple, connection_on(cluster_.host(from), options_));
  SOCKSWAP_CHECK(settle_former_host());
  SOCKSWAP_TRY(FormerHost former, FormerHost::watch(cluster_.host(from), tuple));
  Move move{.from = from, .to = to, .at_bytes = latest(log_.events()).bytes, .steps = {}};
  move.at_ms = std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - began_).count();
  SOCKSWAP_TRY(const Json moved, ask(cluster_.host(from), options_, {"move", tuple.text(), "--to", to}));
  move.frozen_ms = moved.value("pause_us", 0.0) / 1000;
  for (const Json& step : moved.value("steps", Json::array()))
    move.steps.push_back({step.value("name", ""), step.value("at_us", 0.0)});
  // From here on nobody is to send anything there.
  SOCKSWAP_TRY(former.before, former.count());
  former_ = std::move(former);
  const std::size_t arrivals = transfer_.moves.size() + 1;  // the connection itself was the first
  SOCKSWAP_CHECK(log_.wait(patience, [&](const Events& events) {
    return static_cast<std::size_t>(std::ranges::count(events, "first-byte", &ReceiverEvent::name)) >
               arrivals ||
           std::ranges::find(events, "end", &ReceiverEvent::name) != events.end();
  }));
  const Events events = log_.events();
  const auto arrival =
      std::find_if(events.rbegin(), events.rend(), [](const auto& e) { return e.name == "arrival"; });
  const auto first =
      std::find_if(events.rbegin(), events.rend(), [](const auto& e) { return e.name == "first-byte"; });
  if (arrival != events.rend() && first != events.rend())
    move.pause_ms = static_cast<double>((first->last_byte_ns - cluster_.host(to).clock_ahead().count()) -
                                        (arrival->last_byte_ns - cluster_.host(from).clock_ahead().count())) /
                    1e6;
  transfer_.moves.push_back(std::move(move));
  witness_.moved(transfer_.moves.back());
  return {};
}

void Run::take_timeline() {
  const Events events = log_.events();
  const std::int64_t zero =
      std::chrono::duration_cast<std::chrono::nanoseconds>(began_.time_since_epoch()).count();
  for (const ReceiverEvent& event : events)
    if (event.name != "end" && event.at_ns > zero)
      transfer_.samples.push_back({static_cast<double>(event.at_ns - zero) / 1e6, event.bytes});
  std::ranges::sort(transfer_.samples, {}, &Sample::at_ms);
}

Result<Transfer> Run::run(const std::string& program, const SourceFile& file) {
  transfer_.program = program;
  transfer_.bytes_sent = file.bytes;
  transfer_.sha256_sent = file.sha256;
  transfer_.rate = options_.rate;
  SOCKSWAP_TRY(const auto sender, sender_of(program, file.path.string(), cluster_.host("beta").v4().text()));
  std::vector<lab::PacketCounter> resets;
  for (const auto& host : cluster_.lab().hosts()) {
    SOCKSWAP_TRY(auto counter, host->count(lab::PacketFilter::resets()));
    resets.push_back(std::move(counter));
  }
  SOCKSWAP_CHECK(start_receivers());
  began_ = std::chrono::steady_clock::now();
  SOCKSWAP_TRY(lab::Process sending, cluster_.host("alpha").spawn({.argv = sender}));
  std::uint64_t quarter = 0;
  for (const auto& [from, to] :
       {std::pair{"beta", "gamma"}, std::pair{"gamma", "beta"}, std::pair{"beta", "gamma"}}) {
    SOCKSWAP_CHECK(wait_for_bytes(file.bytes * ++quarter / 4));
    SOCKSWAP_CHECK(move(from, to));
  }
  SOCKSWAP_CHECK(wait_for_bytes(file.bytes + 1));  // until the receiver has seen the end
  SOCKSWAP_CHECK(settle_former_host());
  SOCKSWAP_TRY(const lab::ExitStatus ended, sending.wait(patience));
  if (!ended.ok())
    return failure(ErrorCode::internal, fmt::format("{} ended with {}", program, ended.text()));
  for (const lab::PacketCounter& counter : resets) {
    SOCKSWAP_TRY(const std::uint64_t packets, counter.packets());
    transfer_.resets += packets;
  }
  for (const ReceiverEvent& event : log_.events()) {
    if (event.name != "end") continue;
    transfer_.bytes = event.bytes;
    transfer_.sha256_received = event.sha256;
  }
  take_timeline();
  return std::move(transfer_);
}

}  // namespace

Result<Transfer> transfer(lab::Cluster& cluster, const Options& options, const std::string& program,
                          const SourceFile& file, const Witness& witness) {
  return Run(cluster, options, witness).run(program, file);
}

}  // namespace sockswap::demo
