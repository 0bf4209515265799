// In which order the rows are measured, and where.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <list>
#include <mutex>
#include <thread>

#include "statistics.h"
#include "thesis.h"

namespace sockswap::thesis {
namespace {

constexpr int requests = 50;  // of which a round trip is the median

// A lane's stages, one of each kernel, made when they are wanted.
class Lane {
 public:
  explicit Lane(const Options& options) : options_(options) {}

  Result<Stage*> stage(Kernel kernel) {
    auto& stage = stages_[kernel];
    if (!stage) {
      // As routers are built: a queue of a round trip.
      lab::LinkQuality link{.delay = options_.round_trip / 4, .rate = options_.rate};
      link.queue = std::max(link.queue, options_.round_trip);
      SOCKSWAP_TRY(stage, Stage::start(kernel, link, options_.programs));
    }
    return stage.get();
  }

 private:
  const Options& options_;
  std::map<Kernel, std::unique_ptr<Stage>> stages_;
};

struct Task {
  std::size_t row;
  int round;
};

class Schedule {
 public:
  Schedule(const Options& options, std::vector<const Row*> rows) : options_(options) {
    results_.options = options;
    for (const Row* row : rows) {
      RowResult& result = results_.rows.emplace_back();
      result.row = row;
      result.rounds.resize(static_cast<std::size_t>(options.rounds));
    }
  }

  Result<Results> run() {
    const auto began = std::chrono::steady_clock::now();
    std::list<Lane> lanes;
    for (int i = 0; i < options_.lanes; ++i) lanes.emplace_back(options_);
    SOCKSWAP_CHECK(measure_alone(lanes.front()));
    SOCKSWAP_CHECK(measure_rounds(lanes));
    compare();
    results_.took_s = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
    return std::move(results_);
  }

 private:
  // What can't be told apart when several rows run at once; and it warms up.
  Result<> measure_alone(Lane& lane) {
    // Not so little that it has all been sent before half of it is received.
    const std::uint64_t megabytes =
        std::max(options_.megabytes / 10, std::min<std::uint64_t>(options_.megabytes, 32));
    SOCKSWAP_TRY(const Payload payload, Payload::make(megabytes * 1'000'000));
    for (RowResult& result : results_.rows) {
      SOCKSWAP_TRY(Stage* const stage, lane.stage(result.row->kernel));
      SOCKSWAP_TRY(const Measured measured, measure(*result.row, *stage, payload));
      result.cpu_s_per_gb = measured.cpu_s * 1e9 / static_cast<double>(payload.bytes());
      if (!result.row->resumes) {
        SOCKSWAP_TRY(result.round_trip_us, round_trip_us(*stage, result.row->course, requests));
      }
      options_.say(fmt::format("{}, alone: {:.2f} CPU s a GB", result.row->title, result.cpu_s_per_gb));
    }
    return {};
  }

  Result<> measure_rounds(std::list<Lane>& lanes) {
    // Whichever comes first gets the colder machine: they take turns.
    for (int round = 0; round < options_.rounds; ++round)
      for (std::size_t i = 0; i < results_.rows.size(); ++i)
        tasks_.push_back({(i + static_cast<std::size_t>(round)) % results_.rows.size(), round});
    SOCKSWAP_TRY(const Payload payload, Payload::make(options_.megabytes * 1'000'000));
    std::vector<std::thread> threads;
    for (Lane& lane : lanes) threads.emplace_back([&] { work(lane, payload); });
    for (std::thread& thread : threads) thread.join();
    return std::move(outcome_);
  }

  void work(Lane& lane, const Payload& payload) {
    while (const auto task = next()) {
      RowResult& result = results_.rows[task->row];
      auto measured = [&]() -> Result<Measured> {
        SOCKSWAP_TRY(Stage* const stage, lane.stage(result.row->kernel));
        return measure(*result.row, *stage, payload);
      }();
      const std::lock_guard lock(mutex_);
      if (!measured) {
        if (outcome_) outcome_ = failure(std::move(measured).error().while_doing(result.row->title));
        return;
      }
      options_.say(fmt::format("round {} of {}, {}: {:.3f} s, longest stall {:.2f} ms", task->round + 1,
                               options_.rounds, result.row->title, measured->seconds, measured->stall_ms));
      result.rounds[static_cast<std::size_t>(task->round)] = *std::move(measured);
    }
  }

  std::optional<Task> next() {
    const std::lock_guard lock(mutex_);
    if (!outcome_ || next_ == tasks_.size()) return std::nullopt;
    return tasks_[next_++];
  }

  void compare() {
    for (RowResult& result : results_.rows)
      if (const RowResult* plain = results_.find(result.row->plain()))
        for (std::size_t i = 0; i < result.rounds.size(); ++i)
          result.ratios.push_back(result.rounds[i].seconds / plain->rounds[i].seconds);
  }

  const Options& options_;
  Results results_;
  std::mutex mutex_;  // of what follows, and of options_.say
  std::vector<Task> tasks_;
  std::size_t next_ = 0;
  Result<> outcome_;
};

}  // namespace

double RowResult::median(double Measured::*what) const {
  std::vector<double> values;
  for (const Measured& measured : rounds) values.push_back(measured.*what);
  return bench::median(std::move(values));
}

const RowResult* Results::find(const std::string& name) const {
  const auto found =
      std::ranges::find_if(rows, [&](const RowResult& result) { return result.row->name == name; });
  return found == rows.end() ? nullptr : &*found;
}

Result<> check(const Options& options) {
  for (const std::string& name : options.rows)
    if (std::ranges::find(rows(), name, &Row::name) == rows().end())
      return failure(ErrorCode::usage, fmt::format("there is no row '{}'", name), [&] {
        std::string known;
        for (const Row& row : rows()) known += (known.empty() ? "" : ", ") + row.name;
        return "the rows are " + known;
      }());
  return {};
}

Result<Results> run(const Options& options) {
  SOCKSWAP_CHECK(check(options));
  std::vector<const Row*> chosen;
  for (const Row& row : rows())
    if (options.rows.empty() || std::ranges::count(options.rows, row.name) != 0) {
      if (can_measure(row, options.programs))
        chosen.push_back(&row);
      else
        options.say(fmt::format("{}: not measured: kernel/build makes the kernel that it needs", row.title));
    }
  if (chosen.empty()) return failure(ErrorCode::unsupported, "no row is left to measure", "kernel/build");
  return Schedule(options, std::move(chosen)).run();
}

}  // namespace sockswap::thesis
