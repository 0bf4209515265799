#include "transfer.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <nlohmann/json.hpp>
#include <thread>

#include "cost.h"

namespace sockswap::thesis {
namespace {

using Json = nlohmann::json;

constexpr std::chrono::minutes patience{10};  // 400 MB at 100 Mbit/s take 34 s

double to_seconds(std::int64_t ns) { return static_cast<double>(ns) / 1e9; }

// sockswap-thesis-end on a host.
class End {
 public:
  static Result<End> start(Stage& stage, const std::string& host, std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), stage.programs().end.string());
    return start_command(stage, host, std::move(arguments));
  }
  static Result<End> start_command(Stage& stage, const std::string& host, std::vector<std::string> argv) {
    SOCKSWAP_TRY(lab::Process process,
                 stage.host(host).spawn(
                     {.argv = std::move(argv), .out = lab::Stdio::pipe(), .err = lab::Stdio::pipe()}));
    return End(std::move(process), host, stage.host(host).clock_ahead().count());
  }

  Result<Json> await(std::string_view event) {
    SOCKSWAP_TRY(const std::optional<std::string> line, process_.read_line(patience));
    const Json json = line ? Json::parse(*line, nullptr, false) : Json();
    if (json.is_object() && json.value("event", "") == event) return json;
    SOCKSWAP_TRY(const lab::Output output, process_.finish());
    return failure(ErrorCode::internal, fmt::format("the program on {} said nothing of '{}': {} {}", host_,
                                                    event, output.status.text(), output.err));
  }
  // What it saw of the stream, by the machine's clock.
  struct Part {
    std::uint64_t bytes = 0;
    std::int64_t begin_ns = 0, first_ns = 0, last_ns = 0, stall_ns = 0, stall_at_ns = 0;
    std::vector<std::pair<std::int64_t, std::uint64_t>> samples;
  };
  Result<Part> await_end() {
    SOCKSWAP_TRY(const Json json, await("end"));
    Part part;
    part.bytes = json.at("bytes");
    part.begin_ns = json.at("begin_ns").get<std::int64_t>() - clock_ahead_;
    part.first_ns = json.at("first_ns").get<std::int64_t>() - clock_ahead_;
    part.last_ns = json.at("last_ns").get<std::int64_t>() - clock_ahead_;
    part.stall_ns = json.at("stall_ns");
    part.stall_at_ns = json.at("stall_at_ns").get<std::int64_t>() - clock_ahead_;
    json.at("samples").get_to(part.samples);
    for (auto& [at_ns, bytes] : part.samples) at_ns -= clock_ahead_;
    return part;
  }

 private:
  End(lab::Process process, std::string host, std::int64_t clock_ahead)
      : process_(std::move(process)), host_(std::move(host)), clock_ahead_(clock_ahead) {}

  lab::Process process_;
  std::string host_;
  std::int64_t clock_ahead_;
};

// Of the receiving end's programs, in their order, one report.
Measured put_together(const std::vector<End::Part>& parts) {
  const std::int64_t began = parts.front().begin_ns;
  Measured out;
  out.seconds = to_seconds(parts.back().last_ns - began);
  const auto consider = [&](std::int64_t stall_ns, std::int64_t at_ns) {
    const double stall_ms = static_cast<double>(stall_ns) / 1e6;
    if (stall_ms <= out.stall_ms) return;
    out.stall_ms = stall_ms;
    out.stall_at_s = to_seconds(at_ns - began);
  };
  for (std::size_t i = 0; i < parts.size(); ++i) {
    consider(parts[i].stall_ns, parts[i].stall_at_ns);
    if (i + 1 < parts.size()) consider(parts[i + 1].first_ns - parts[i].last_ns, parts[i].last_ns);
    for (const auto& [at_ns, bytes] : parts[i].samples)
      out.samples.push_back({to_seconds(at_ns - began), bytes});
  }
  return out;
}

// A program that has just been started may not listen yet.
Result<> await_listener(Stage& stage, const std::string& host, std::uint16_t port) {
  const auto until = std::chrono::steady_clock::now() + lab::kPatience;
  const std::string listening = fmt::format("ss -Hltn 'sport = {}' | grep -q .", port);
  while (std::chrono::steady_clock::now() < until) {
    SOCKSWAP_TRY(const lab::Output output, stage.host(host).run({"sh", "-c", listening}));
    if (output.status.ok()) return {};
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return failure(ErrorCode::timed_out, fmt::format("nothing listens on port {} of {}", port, host));
}

// On beta: what comes to `port` goes on to the same port of gamma. Ends with the object.
class Relay {
 public:
  static Result<Relay> start(Stage& stage, Course::Relay kind, std::uint16_t port) {
    Relay relay(stage);
    lab::Host& home = stage.host("beta");
    const std::string to = fmt::format("{}:{}", stage.host("gamma").v4().text(), port);
    if (kind == Course::Relay::user_space) {
      const std::string listen = fmt::format("TCP4-LISTEN:{},reuseaddr", port);
      SOCKSWAP_TRY(relay.program_,
                   home.spawn({.argv = {"socat", "-b", "262144", listen, "TCP4:" + to + ",nodelay"}}));
      SOCKSWAP_CHECK(await_listener(stage, "beta", port));
      return relay;
    }
    const std::string rules = fmt::format(
        "echo 1 > /proc/sys/net/ipv4/ip_forward; nft 'table ip thesis {{\n"
        " chain in {{ type nat hook prerouting priority dstnat; tcp dport {0} dnat to {1}; }}\n"
        " chain out {{ type nat hook postrouting priority srcnat; tcp dport {0} masquerade; }}\n}}'",
        port, to);
    SOCKSWAP_TRY(const lab::Output output, home.run({"sh", "-c", rules}));
    if (!output.status.ok()) return failure(ErrorCode::internal, "nft on beta: " + output.err);
    relay.has_rules_ = true;
    return relay;
  }
  Relay(Relay&& other) noexcept
      : stage_(other.stage_),
        program_(std::move(other.program_)),
        has_rules_(std::exchange(other.has_rules_, false)) {}
  Relay& operator=(Relay&&) = delete;
  ~Relay() {
    if (has_rules_) (void)stage_.host("beta").run({"nft", "delete", "table", "ip", "thesis"});
  }

 private:
  explicit Relay(Stage& stage) : stage_(stage) {}

  Stage& stage_;
  std::optional<lab::Process> program_;
  bool has_rules_ = false;
};

std::string endpoint(Stage& stage, const char* host, std::uint16_t port) {
  return fmt::format("{}:{}", stage.host(host).v4().text(), port);
}

Result<End> start_heir(Stage& stage, const std::string& does, std::vector<std::string> more = {}) {
  more.insert(more.begin(), {does, "arrival"});
  SOCKSWAP_TRY(End heir, End::start(stage, "gamma", std::move(more)));
  SOCKSWAP_CHECK(heir.await("ready"));
  return heir;
}

// Measures what isn't in the ends' reports.
class Meter {
 public:
  static Result<Meter> start(Stage& stage, std::uint16_t port) {
    SOCKSWAP_TRY(Passing home, Passing::watch(stage.host("beta"), port));
    SOCKSWAP_TRY(const std::uint64_t timeouts, stage.timeouts());
    return Meter(stage, std::move(home), timeouts);
  }
  // From here on home has nothing to do with the connection.
  Result<> end_has_left_home() {
    SOCKSWAP_TRY(home_before_, home_.bytes());
    return {};
  }
  Result<> finish(Measured& measured, bool home_is_former) {
    measured.cpu_s = busy_seconds() - busy_before_;
    SOCKSWAP_TRY(const std::uint64_t timeouts, stage_.timeouts());
    measured.timeouts = timeouts - timeouts_before_;
    SOCKSWAP_TRY(const std::uint64_t bytes, home_.bytes());
    if (home_is_former) measured.home_bytes = bytes - home_before_;
    if (measured.pause_ms) {
      SOCKSWAP_TRY(measured.staying_pause_ms, stage_.staying_pause_ms());
    }
    return {};
  }

 private:
  Meter(Stage& stage, Passing home, std::uint64_t timeouts)
      : stage_(stage), home_(std::move(home)), timeouts_before_(timeouts) {}

  Stage& stage_;
  Passing home_;
  std::uint64_t timeouts_before_, home_before_ = 0;
  double busy_before_ = busy_seconds();
};

Result<lab::Process> send_file(Stage& stage, const Payload& payload, const std::string& to) {
  return stage.host("alpha").spawn(
      {.argv = {"socat", "-b", "262144", "-u", "OPEN:" + payload.path().string(), "TCP4:" + to}});
}

Result<> check_all_arrived(const Payload& payload, const End::Part& last) {
  if (last.bytes == payload.bytes()) return {};
  return failure(ErrorCode::internal, fmt::format("{} of {} bytes arrived", last.bytes, payload.bytes()));
}

// The receiving end on beta, or on gamma behind a relay.
Result<Measured> to_receiver(Stage& stage, const Payload& payload, const Course& course, std::uint16_t port) {
  const bool moves = course.moves == Course::Moves::receiver;
  const bool relayed = course.relay != Course::Relay::none;
  std::optional<Relay> relay;
  if (relayed) {
    SOCKSWAP_TRY(Relay started, Relay::start(stage, course.relay, port));
    relay.emplace(std::move(started));
  }
  std::optional<End> heir;
  if (moves) {
    SOCKSWAP_TRY(heir, start_heir(stage, "receive"));
  }
  const char* const at = relayed ? "gamma" : "beta";
  std::vector<std::string> arguments{"receive", "listen", endpoint(stage, at, port)};
  if (moves)
    arguments.insert(arguments.end(), {"--to", "gamma", "--at", std::to_string(payload.bytes() / 2)});
  SOCKSWAP_TRY(End receiver, End::start(stage, at, arguments));
  SOCKSWAP_CHECK(receiver.await("ready"));
  SOCKSWAP_TRY(Meter meter, Meter::start(stage, port));
  SOCKSWAP_TRY(const lab::Process sender, send_file(stage, payload, endpoint(stage, "beta", port)));
  std::optional<double> pause_ms;
  if (moves) {
    SOCKSWAP_TRY(const Json moved, receiver.await("moved"));
    pause_ms = moved.at("pause_us").get<double>() / 1000;
    SOCKSWAP_CHECK(meter.end_has_left_home());
  }
  std::vector<End::Part> parts;
  SOCKSWAP_TRY(parts.emplace_back(), receiver.await_end());
  if (moves) {
    SOCKSWAP_TRY(parts.emplace_back(), heir->await_end());
  }
  SOCKSWAP_CHECK(check_all_arrived(payload, parts.back()));
  Measured out = put_together(parts);
  out.pause_ms = pause_ms;
  SOCKSWAP_CHECK(meter.finish(out, moves || relayed));
  if (moves) out.moved_at_s = to_seconds(parts[0].last_ns - parts[0].begin_ns);
  return out;
}

// The sending end on beta moves; the receiving one is on alpha and stays.
Result<Measured> from_sender(Stage& stage, const Payload& payload, std::uint16_t port) {
  const std::string all = std::to_string(payload.bytes()), half = std::to_string(payload.bytes() / 2);
  SOCKSWAP_TRY(End heir, start_heir(stage, "send", {"--until", all}));
  SOCKSWAP_TRY(End receiver,
               End::start(stage, "alpha", {"receive", "listen", endpoint(stage, "alpha", port)}));
  SOCKSWAP_CHECK(receiver.await("ready"));
  SOCKSWAP_TRY(Meter meter, Meter::start(stage, port));
  SOCKSWAP_TRY(End sender, End::start(stage, "beta",
                                      {"send", "connect", endpoint(stage, "alpha", port), "--until", all,
                                       "--to", "gamma", "--at", half}));
  SOCKSWAP_TRY(const Json moved, sender.await("moved"));
  SOCKSWAP_CHECK(meter.end_has_left_home());
  SOCKSWAP_TRY(const End::Part sent, sender.await_end());
  SOCKSWAP_TRY(const End::Part received, receiver.await_end());
  SOCKSWAP_CHECK(check_all_arrived(payload, received));
  Measured out = put_together({received});
  out.pause_ms = moved.at("pause_us").get<double>() / 1000;
  SOCKSWAP_CHECK(meter.finish(out, true));
  out.moved_at_s = to_seconds(sent.last_ns - received.begin_ns);
  return out;
}

}  // namespace

Result<Measured> transfer(Stage& stage, const Payload& payload, const Course& course) {
  const std::uint16_t port = stage.next_port();
  if (course.moves == Course::Moves::sender) return from_sender(stage, payload, port);
  return to_receiver(stage, payload, course, port);
}

Result<Measured> resume(Stage& stage, const Payload& payload) {
  const std::uint16_t port = stage.next_port();
  const std::string url = fmt::format("http://{}/payload", endpoint(stage, "alpha", port));
  SOCKSWAP_TRY(
      const lab::Process server,
      stage.host("alpha").spawn({.argv = {"busybox", "httpd", "-f", "-p", endpoint(stage, "alpha", port),
                                          "-h", payload.folder().string()}}));
  SOCKSWAP_CHECK(await_listener(stage, "alpha", port));
  SOCKSWAP_TRY(Meter meter, Meter::start(stage, port));
  const std::uint64_t half = payload.bytes() / 2;
  const auto download = [&](const char* host, std::uint64_t from, const std::string& until) {
    const std::string command = fmt::format("curl -s -r {0}- {1} | {2} receive stdin --from {0}{3}", from,
                                            url, stage.programs().end.string(), until);
    return End::start_command(stage, host, {"sh", "-c", command});
  };
  std::vector<End::Part> parts(2);
  SOCKSWAP_TRY(End first, download("beta", 0, fmt::format(" --until {}", half)));
  SOCKSWAP_TRY(parts[0], first.await_end());
  SOCKSWAP_CHECK(meter.end_has_left_home());
  SOCKSWAP_TRY(End second, download("gamma", parts[0].bytes, ""));
  SOCKSWAP_TRY(parts[1], second.await_end());
  SOCKSWAP_CHECK(check_all_arrived(payload, parts[1]));
  Measured out = put_together(parts);
  SOCKSWAP_CHECK(meter.finish(out, true));
  out.moved_at_s = to_seconds(parts[0].last_ns - parts[0].begin_ns);
  return out;
}

Result<double> round_trip_us(Stage& stage, const Course& course, int requests) {
  const std::uint16_t port = stage.next_port();
  std::optional<Relay> relay;
  if (course.relay != Course::Relay::none) {
    SOCKSWAP_TRY(Relay started, Relay::start(stage, course.relay, port));
    relay.emplace(std::move(started));
  }
  const bool moves = course.moves != Course::Moves::none;
  const std::vector<std::string> count{"--count", std::to_string(requests)};
  std::optional<End> heir;
  if (moves) {
    SOCKSWAP_TRY(heir, start_heir(stage, "ask", count));
  }
  const char* const at = relay ? "gamma" : "beta";
  std::vector<std::string> arguments{"ask", "listen", endpoint(stage, at, port)};
  arguments.insert(arguments.end(), count.begin(), count.end());
  if (moves) arguments.insert(arguments.end(), {"--to", "gamma"});
  SOCKSWAP_TRY(End first, End::start(stage, at, arguments));
  SOCKSWAP_CHECK(first.await("ready"));
  SOCKSWAP_TRY(const lab::Process echo,
               stage.host("alpha").spawn(
                   {.argv = {"socat", "TCP4:" + endpoint(stage, "beta", port) + ",nodelay", "PIPE"}}));
  SOCKSWAP_TRY(const Json asked, (heir ? *heir : first).await("asked"));
  return asked.at("round_trip_us").get<double>();
}

}  // namespace sockswap::thesis
