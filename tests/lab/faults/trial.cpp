#include "trial.h"

#include <fmt/format.h>

#include <csignal>
#include <map>
#include <thread>

#include "lab/cluster.h"
#include "left_behind.h"
#include "voice.h"

namespace sockswap::faults {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

constexpr std::uint16_t port = 5400;
constexpr auto look_every = 50ms;
constexpr auto reaches_within = 8s;  // the slowest way to a step
constexpr int short_deadline_ms = 400;

template <class Condition>
bool wait_until(std::chrono::milliseconds patience, std::chrono::milliseconds every, Condition condition) {
  for (const auto until = Clock::now() + patience; !condition(); std::this_thread::sleep_for(every))
    if (Clock::now() > until) return false;
  return true;
}

class Trial {
 public:
  Trial(const Programs& programs, const Case& what, const Patience& patience, lab::Lab lab)
      : programs_(programs), case_(what), patience_(patience), lab_(std::move(lab)) {}

  Result<Outcome> run() {
    SOCKSWAP_CHECK(start());
    SOCKSWAP_CHECK(mover_.tell("go"));
    SOCKSWAP_TRY(outcome_.reached, reach());
    if (!outcome_.reached) return std::move(outcome_);
    SOCKSWAP_CHECK(strike());
    std::this_thread::sleep_for(case_.lasts);
    SOCKSWAP_CHECK(mend());
    settle();
    judge();
    return std::move(outcome_);
  }

 private:
  lab::Host& host(const std::string& role) { return lab_.host(role); }
  bool lost_power(const std::string& role) const {
    return case_.fault.deed == Deed::power && case_.fault.host == role;
  }
  void complain(std::string text) { outcome_.complaints.push_back(std::move(text)); }

  // ---- before the fault
  std::vector<std::string> traps(const std::string& role) const {
    std::vector<std::string> arguments;
    const auto add = [&](const std::string& trapped, const std::string& step) {
      if (trapped == role) arguments.insert(arguments.end(), {"--trap", trapped + ":" + step});
    };
    add(case_.at.role, case_.at.step);
    if (case_.at.way == Way::slow_peer) add("peer", "paused");
    if (case_.at.way == Way::slow_destination) add("destination", "letting go");
    if (case_.at.way == Way::lost_origin) add("origin", "held");
    return arguments;
  }

  Result<> start_daemon(const std::string& role, std::vector<std::string> arguments = {}) {
    SOCKSWAP_TRY(lab::Process daemon, host(role).start_daemon(programs_.sockswapd, std::move(arguments)));
    daemons_.insert_or_assign(role, std::move(daemon));
    return {};
  }

  Result<> start() {
    SOCKSWAP_CHECK(lab::make_members(lab_));
    for (const char* role : roles) SOCKSWAP_CHECK(start_daemon(role, traps(role)));
    SOCKSWAP_CHECK(receiver_.start(host("destination"), "receiver", {programs_.end, "receive", "stream"}));
    const bool long_state = case_.at.way == Way::long_state, slow = case_.at.way == Way::slow_peer;
    SOCKSWAP_CHECK(
        mover_.start(host("origin"), "mover",
                     {programs_.end, "move", std::to_string(port), "destination", "stream",
                      long_state ? "200000" : "100", std::to_string(slow ? short_deadline_ms : 0)}));
    SOCKSWAP_CHECK(await(mover_, "listening"));
    SOCKSWAP_CHECK(await(receiver_, "ready"));
    SOCKSWAP_CHECK(
        still_.start(host("peer"), "still",
                     {programs_.still, host("origin").v4().text(), std::to_string(port), "1000000"}));
    SOCKSWAP_CHECK(await(mover_, "connected"));
    return count_resets();
  }

  static Result<> await(Voice& voice, const std::string& word) {
    const bool said = wait_until(lab::kPatience, 1ms, [&] {
      voice.listen();
      return voice.said(word) || voice.ended();
    });
    if (said && voice.said(word)) return {};
    return failure(ErrorCode::timed_out,
                   fmt::format("nobody said '{}': {}", word, voice.ended().value_or("no end")));
  }

  // Those of the connection only: a daemon that is killed resets its sessions.
  Result<> count_resets() {
    const std::string line = *mover_.said("connected");
    const auto other = static_cast<std::uint16_t>(std::stoi(line.substr(line.rfind(' '))));
    SOCKSWAP_TRY(lab::PacketCounter sent,
                 host("peer").count({.source_port = other, .flag = lab::TcpFlag::rst}));
    SOCKSWAP_TRY(lab::PacketCounter got,
                 host("peer").count({.destination_port = other, .flag = lab::TcpFlag::rst}));
    resets_ = {std::move(sent), std::move(got)};
    return {};
  }

  bool await_trap(const std::string& role) {
    return wait_until(reaches_within, 1ms, [&] { return is_stopped(daemons_.at(role).pid()); });
  }

  Result<bool> reach() {
    if (case_.at.way == Way::slow_peer) {
      if (!await_trap("peer")) return false;
      std::this_thread::sleep_for(std::chrono::milliseconds(short_deadline_ms + 100));
      SOCKSWAP_CHECK(daemons_.at("peer").kill(SIGCONT));
    }
    if (case_.at.way == Way::slow_destination && !await_trap("destination")) return false;
    if (case_.at.way == Way::lost_origin) {
      if (!await_trap("origin")) return false;
      SOCKSWAP_CHECK(kill_daemon("origin"));
    }
    return await_trap(case_.at.role);
  }

  // ---- the fault
  Result<> kill_daemon(const std::string& role) {
    const auto daemon = daemons_.find(role);
    if (daemon == daemons_.end()) return {};  // on the way to the step
    SOCKSWAP_CHECK(daemon->second.kill(SIGKILL));
    SOCKSWAP_CHECK(daemon->second.wait());
    daemons_.erase(daemon);
    return {};
  }

  Result<> kill_keeper(const std::string& role) {
    const pid_t keeper = keeper_of(host(role));
    if (keeper > 0 && ::kill(keeper, SIGKILL) == 0) return {};
    return failure(ErrorCode::not_found, role + " has no keeper");
  }

  Result<> strike() {
    const std::string& on = case_.fault.host;
    switch (case_.fault.deed) {
      case Deed::kill: SOCKSWAP_CHECK(kill_daemon(on)); break;
      case Deed::kill_both:
        SOCKSWAP_CHECK(kill_daemon(on));
        SOCKSWAP_CHECK(kill_keeper(on));
        break;
      case Deed::power:
        SOCKSWAP_CHECK(host(on).power_off());
        daemons_.erase(on);
        break;
      case Deed::cut: SOCKSWAP_CHECK(host(on).cut()); break;
      case Deed::cut_in: SOCKSWAP_CHECK(host(on).cut(lab::Direction::in)); break;
      case Deed::cut_out: SOCKSWAP_CHECK(host(on).cut(lab::Direction::out)); break;
    }
    for (auto& [role, daemon] : daemons_) SOCKSWAP_CHECK(daemon.kill(SIGCONT));
    return {};
  }

  Result<> mend() {
    if (!patience_.mends) return {};
    SOCKSWAP_CHECK(host(case_.fault.host).power_on());
    SOCKSWAP_CHECK(host(case_.fault.host).heal());
    for (const char* role : roles) {
      const auto daemon = daemons_.find(role);
      if (daemon != daemons_.end() && daemon->second.running()) continue;
      if (daemon != daemons_.end())
        complain(fmt::format("{}'s sockswapd ended: {}", role, daemon->second.wait()->text()));
      SOCKSWAP_CHECK(start_daemon(role));
    }
    return {};
  }

  // ---- afterwards
  void listen() {
    for (Voice* voice : {&mover_, &receiver_, &still_}) voice->listen();
  }

  bool mover_knows() const {
    return lost_power("origin") || mover_.said("moved") || mover_.said("undone") || mover_.said("lost") ||
           mover_.said("broken") || mover_.ended();
  }

  std::vector<std::string> unsettled() {
    std::vector<std::string> complaints;
    for (const char* role : roles) {
      const auto left = faults::unsettled(host(role), programs_.sockswap);
      complaints.insert(complaints.end(), left.begin(), left.end());
    }
    if (!mover_knows()) complaints.emplace_back("the moving program isn't told what became of its end");
    return complaints;
  }

  void settle() {
    std::vector<std::string> left;
    const auto began = Clock::now();
    wait_until(patience_.settles, look_every, [&] {
      listen();
      if (auto now = unsettled(); now != left) {
        left = std::move(now);
        outcome_.settling.push_back(
            fmt::format("{:5.2f} s: {}", std::chrono::duration<double>(Clock::now() - began).count(),
                        left.empty() ? "settled" : fmt::format("{}", fmt::join(left, "; "))));
      }
      return left.empty();
    });
    for (std::string& complaint : left)
      complain(fmt::format("after {} s: {}", patience_.settles.count(), complaint));
  }

  void judge() {
    listen();
    const bool arrived = receiver_.said("arrived").has_value(), undone = mover_.said("undone").has_value();
    if (arrived && undone) complain("two owners: it was undone, and has arrived");
    Voice* owner = nullptr;
    if (undone && !lost_power("origin")) owner = &mover_;
    if (arrived && !lost_power("destination")) owner = &receiver_;
    outcome_.became = owner == nullptr ? "lost" : owner == &mover_ ? "undone" : "moved";
    if (lost_power("peer")) return judge_loss_at_the_peer(owner);
    if (owner == nullptr) return judge_loss();
    judge_resets();
    judge_streams(*owner);
  }

  void judge_loss_at_the_peer(Voice* owner) {
    if (owner == nullptr) return;
    wait_until(patience_.errs, look_every, [&] {
      listen();
      return owner->said("broken").has_value();
    });
    if (!owner->said("broken")) complain("whoever has the moving end never hears that the other is gone");
  }

  void judge_loss() {
    if (!lost_power("origin") && !(lost_power("destination") && case_.destination_may_lose()))
      complain(fmt::format("the moving end is lost: the program that gave it away said '{}'",
                           mover_.said("lost").value_or(mover_.said("broken").value_or("moved"))));
    wait_until(patience_.errs, look_every, [&] {
      listen();
      return still_.ended().has_value();
    });
    if (!still_.ended()) return complain("the staying program hangs");
    if (still_.ended()->find("is wrong") != std::string::npos) complain(*still_.ended());
  }

  void judge_streams(Voice& owner) {
    (void)owner.tell("end");
    wait_until(patience_.ends, 10ms, [&] {
      listen();
      return (owner.said("end") && still_.said("end")) || owner.said("broken") || owner.ended() ||
             still_.ended();
    });
    listen();
    const auto words = [](const Voice& voice) {
      return voice.said("end").value_or(voice.said("broken").value_or(voice.ended().value_or("nothing")));
    };
    const auto moving = soak::end_of(words(owner)), staying = soak::end_of(words(still_));
    if (!moving || !staying)
      return complain(fmt::format("the stream doesn't end: the moving end said '{}', the staying one '{}'",
                                  words(owner), words(still_)));
    if (moving->sent != staying->received || staying->sent != moving->received)
      complain(fmt::format("bytes are missing: '{}' and '{}'", words(owner), words(still_)));
  }

  // While both programs stream. Afterwards the host of the program that has closed last, and is gone, may
  // answer a late acknowledgement so, as after any connection.
  void judge_resets() {
    for (std::size_t i = 0; i < resets_.size(); ++i) {
      const auto count = resets_[i].packets();
      if (!count) complain(count.error().text());
      if (count && *count > 0)
        return complain(fmt::format("{} RST {} the staying end's host", *count, i == 0 ? "from" : "to"));
    }
  }

  const Programs& programs_;
  const Case& case_;
  const Patience patience_;
  lab::Lab lab_;
  std::map<std::string, lab::Process> daemons_;  // those that run
  Voice mover_, receiver_, still_;
  std::vector<lab::PacketCounter> resets_;
  Outcome outcome_;
};

}  // namespace

Result<Outcome> run(const Programs& programs, const Case& what, const Patience& patience) {
  SOCKSWAP_TRY(lab::Lab lab,
               lab::Lab::create({.name = "faults",
                                 .hosts = {{.name = "origin"}, {.name = "destination"}, {.name = "peer"}}}));
  return Trial(programs, what, patience, std::move(lab)).run();
}

}  // namespace sockswap::faults
