#include "soak.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <thread>

#include "../statistics.h"
#include "ends.h"
#include "residents.h"
#include "verdict.h"

namespace sockswap::soak {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::uint16_t port = 5400;
constexpr int rests = 20;  // in which everything is looked at, after the warm-up
constexpr std::chrono::seconds patience{60};

double seconds_since(Clock::time_point then) {
  return std::chrono::duration<double>(Clock::now() - then).count();
}

int home_again(double moves) { return std::max(3, static_cast<int>(std::ceil(moves / 3)) * 3); }

class Soak {
 public:
  Soak(const Programs& programs, const Options& options) : programs_(programs), options_(options) {}

  Result<Outcome> run() {
    SOCKSWAP_CHECK(start());
    const int wanderers = static_cast<int>(wandering_.size());
    const int warm = home_again(static_cast<double>(warm_up(options_.moves)) / wanderers);
    const int batch = home_again(static_cast<double>(options_.moves) / rests / wanderers);
    record_.moves = batch * rests * wanderers;
    SOCKSWAP_CHECK(go(warm));
    record_.warm_up_moves = made();
    SOCKSWAP_CHECK(look());
    began_ = Clock::now();
    for (int i = 0; i < rests; ++i) {
      SOCKSWAP_CHECK(go(batch));
      SOCKSWAP_CHECK(look());
    }
    record_.seconds = seconds_since(began_);
    record_.rests = seen_;
    record_.pauses = pauses();
    for (const Wandering& one : wandering_) record_.busy += one.busy();
    SOCKSWAP_CHECK(end());
    return judge(record_);
  }

 private:
  Result<> start() {
    lab::LabOptions lab{.name = "soak", .hosts = {{.name = "alpha"}, {.name = "beta"}, {.name = "gamma"}}};
    if (!options_.both_wander) lab.hosts.push_back({.name = "delta"});
    SOCKSWAP_TRY(lab::Cluster cluster,
                 lab::Cluster::start(lab, programs_.sockswapd, {"--log-level", "error"}));
    cluster_.emplace(std::move(cluster));
    for (const auto& host : cluster_->lab().hosts())
      for (const auto& [direction, word] :
           {std::pair{lab::Direction::out, " sent"}, {lab::Direction::in, " got"}}) {
        SOCKSWAP_TRY(auto counter, host->count({.flag = lab::TcpFlag::rst, .direction = direction}));
        resets_.emplace(host->name() + word, std::move(counter));
      }
    const Endpoint at{cluster_->host("alpha").v4(), port};
    SOCKSWAP_CHECK(add_wandering("soak-a", {"alpha", "beta", "gamma"}, "listen", at));
    if (options_.both_wander) return add_wandering("soak-b", {"beta", "alpha", "gamma"}, "connect", at);
    std::vector<std::string> argv{programs_.still, at.address.text(), std::to_string(at.port),
                                  std::to_string(options_.megabytes_a_second * 1e6)};
    if (!options_.spoil.empty()) argv.push_back(options_.spoil);
    SOCKSWAP_TRY(Speaker still, Speaker::start(cluster_->host("delta"), "soak-still", std::move(argv)));
    still_.emplace(std::move(still));
    return {};
  }

  Result<> add_wandering(const std::string& name, const std::vector<std::string>& ring,
                         const std::string& opens, const Endpoint& at) {
    SOCKSWAP_TRY(Wandering one,
                 Wandering::start(*cluster_, programs_.wanderer, options_, name, ring, opens, at));
    wandering_.push_back(std::move(one));
    return {};
  }

  // So many moves of each end that wanders.
  Result<> go(int moves) {
    for (Wandering& one : wandering_) SOCKSWAP_CHECK(one.go(moves));
    auto heard = Clock::now();
    for (std::size_t before = made();;) {
      SOCKSWAP_CHECK(listen());
      if (std::ranges::all_of(wandering_, &Wandering::rests)) return {};
      if (made() != before) heard = Clock::now();
      before = made();
      if (Clock::now() - heard > patience)
        return failure(ErrorCode::timed_out, fmt::format("no move after the first {}", made()));
      report();
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
  }

  // An end that goes wrong takes the other along, so both are heard before either is blamed.
  Result<> listen() {
    std::map<const void*, std::string> wrong;
    const auto hear = [&](auto& end, auto said) {
      if (!said) wrong.try_emplace(&end, said.error().text());
    };
    for (int round = 0; round < 2; ++round) {
      for (Wandering& one : wandering_)
        if (!wrong.contains(&one)) hear(one, one.listen());
      if (still_ && !wrong.contains(&*still_)) hear(*still_, still_->read());
      if (wrong.empty()) return {};
      if (round == 0) std::this_thread::sleep_for(std::chrono::milliseconds(500));
    }
    std::string all;
    for (const auto& [end, text] : wrong) all += (all.empty() ? "" : "; ") + text;
    return failure(ErrorCode::internal, all);
  }

  std::size_t made() const {
    std::size_t moves = 0;
    for (const Wandering& one : wandering_) moves += one.pauses().size();
    return moves;
  }

  // Looks at all hosts when what is on its way has come to rest: the same counts as at the last rest, or the
  // same five times in a row.
  Result<> look() {
    const auto counts = [](Figures figures) {
      std::erase_if(figures, [](const auto& one) { return may_waver(one.first); });
      return figures;
    };
    SOCKSWAP_TRY(Figures figures, all_residents());
    const auto until = Clock::now() + std::chrono::seconds(2);
    for (int same = 0; same < 5 && Clock::now() < until;) {
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
      SOCKSWAP_TRY(Figures again, all_residents());
      same = counts(again) == counts(figures) ? same + 1 : 0;
      figures = std::move(again);
      if (same > 0 && seen_ > 0 && counts(figures) == counts(last_)) break;
    }
    for (const auto& [name, value] : figures)
      record_.series[name].push_back({static_cast<double>(made() - record_.warm_up_moves), value});
    last_ = std::move(figures);
    ++seen_;
    return {};
  }

  Result<Figures> all_residents() {
    Figures all;
    for (const auto& host : cluster_->lab().hosts()) {
      SOCKSWAP_TRY(Figures one, residents(*host));
      all.merge(one);
    }
    return all;
  }

  Result<> end() {
    for (const auto& [who, counter] : resets_) {
      SOCKSWAP_TRY(record_.resets[who], counter.packets());
    }
    SOCKSWAP_CHECK(wandering_.front().finish());
    SOCKSWAP_TRY(record_.a, wandering_.front().wait_for_end());
    if (!still_) {
      SOCKSWAP_TRY(record_.b, wandering_.back().wait_for_end());
      return {};
    }
    SOCKSWAP_TRY(const std::string line, still_->wait_for("end"));
    record_.b = end_of(line).value_or(Position{});
    return {};
  }

  // Of the moves that count, in order; of two ends in turn.
  std::vector<double> pauses() const {
    std::vector<double> out;
    const std::size_t from = record_.warm_up_moves / wandering_.size();
    for (std::size_t i = from;; ++i) {
      bool any = false;
      for (const Wandering& one : wandering_)
        if (i < one.pauses().size()) {
          out.push_back(one.pauses()[i]);
          any = true;
        }
      if (!any) return out;
    }
  }

  void report() {
    if (Clock::now() - said_ < std::chrono::seconds(1)) return;
    said_ = Clock::now();
    if (record_.series.empty()) return options_.say(fmt::format("warming up: {} moves", made()));
    std::vector<double> recent = pauses();
    if (recent.size() > 1000) recent.erase(recent.begin(), recent.end() - 1000);
    if (recent.empty()) return;
    const auto done = static_cast<double>(made() - record_.warm_up_moves);
    const double speed = done / seconds_since(began_);
    const Json pause = bench::summary(recent);
    options_.say(
        fmt::format("{:.0f} of {} moves, {:.0f} moves/s, {:.0f} s left; pause p50 {} p99 {} µs; "
                    "since the warm-up: {}",
                    done, record_.moves, speed, (record_.moves - done) / std::max(speed, 1.0),
                    pause["p50"].dump(), pause["p99"].dump(), drift_so_far()));
  }

  std::string drift_so_far() const {
    std::string out;
    for (const char* what : {"rss_kib", "descriptors", "threads"}) {
      double by = 0;
      for (const auto& [name, points] : record_.series)
        if (name.ends_with(what)) by += points.back().value - points.front().value;
      out += fmt::format("{}{} {:+.0f}", out.empty() ? "" : ", ", what, by);
    }
    return out;
  }

  const Programs& programs_;
  const Options& options_;
  std::optional<lab::Cluster> cluster_;
  std::map<std::string, lab::PacketCounter> resets_;
  std::vector<Wandering> wandering_;
  std::optional<Speaker> still_;
  Figures last_;  // as seen at the last rest
  std::size_t seen_ = 0;
  Record record_;
  Clock::time_point began_ = Clock::now(), said_ = Clock::now();
};

}  // namespace

int warm_up(int moves) {
  int least = 30;
  for (const int fills : {fills_the_history, fills_the_ids})
    if (moves >= 2 * fills) least = fills;
  return std::max(least, moves / 10);
}

Result<Outcome> run(const Programs& programs, const Options& options) {
  return Soak(programs, options).run();
}

}  // namespace sockswap::soak
