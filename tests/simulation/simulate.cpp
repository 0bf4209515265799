// Runs seeds and says what went wrong; or one seed, with its history.
#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <atomic>
#include <chrono>
#include <mutex>
#include <thread>

#include "world.h"

namespace sockswap::simulation {
namespace {

struct Totals {
  std::atomic<std::uint64_t> seeds{0}, moved{0}, undone{0}, broken{0}, events{0}, violations{0};
};

int replay(std::uint64_t seed, Mutant mutant) {
  const Outcome outcome = run({.seed = seed, .mutant = mutant, .keep_history = true});
  for (const std::string& line : outcome.history) fmt::print("{}\n", line);
  fmt::print("seed {}: {}\n", seed,
             outcome.violation ? "VIOLATION: " + *outcome.violation : "as it should be");
  return outcome.violation ? 1 : 0;
}

void work(std::atomic<std::uint64_t>& next, std::uint64_t end, Mutant mutant, Totals& totals,
          std::mutex& printing) {
  for (std::uint64_t seed = next++; seed < end; seed = next++) {
    const Outcome outcome = run({.seed = seed, .mutant = mutant});
    ++totals.seeds;
    totals.moved += static_cast<std::uint64_t>(outcome.moved);
    totals.undone += static_cast<std::uint64_t>(outcome.undone);
    totals.broken += static_cast<std::uint64_t>(outcome.broken);
    totals.events += outcome.events;
    if (!outcome.violation) continue;
    ++totals.violations;
    const std::lock_guard lock(printing);
    fmt::print("seed {}: {}\n", seed, *outcome.violation);
    std::fflush(stdout);
  }
}

// The first seed that catches each.
int try_mutants(std::uint64_t seeds) {
  int missed = 0;
  for (const Mutant mutant : all_mutants) {
    std::optional<std::string> found;
    for (std::uint64_t seed = 1; seed <= seeds && !found; ++seed)
      if (const Outcome outcome = run({.seed = seed, .mutant = mutant}); outcome.violation)
        found = fmt::format("seed {}: {}", seed, *outcome.violation);
    missed += !found;
    fmt::print("{:<34} {}\n", name(mutant), found.value_or(fmt::format("NOT NOTICED by {} seeds", seeds)));
  }
  return missed == 0 ? 0 : 1;
}

}  // namespace
}  // namespace sockswap::simulation

int main(int argc, char** argv) {
  using namespace sockswap::simulation;
  CLI::App app("Simulates moves and faults, each run from one seed.", "simulate");
  std::uint64_t seeds = 100'000, first = 1;
  std::optional<std::uint64_t> replayed;
  std::string mutant_name = "none";
  bool mutants = false;
  unsigned threads = std::thread::hardware_concurrency();
  app.add_option("--seeds", seeds, "How many")->capture_default_str();
  app.add_option("--first", first, "The first of them")->capture_default_str();
  app.add_option("--replay", replayed, "One seed, with its history");
  app.add_option("--mutant", mutant_name, "A protocol that is wrong in this way")->capture_default_str();
  app.add_flag("--mutants", mutants, "Which seed catches each");
  app.add_option("--threads", threads)->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  Mutant mutant = Mutant::none;
  for (const Mutant each : all_mutants)
    if (name(each) == mutant_name) mutant = each;
  if (mutant == Mutant::none && mutant_name != "none") {
    fmt::print(stderr, "simulate: there is no mutant '{}'\n", mutant_name);
    return 2;
  }
  if (mutants) return try_mutants(seeds);
  if (replayed) return replay(*replayed, mutant);
  Totals totals;
  std::atomic<std::uint64_t> next{first};
  std::mutex printing;
  std::vector<std::jthread> workers;
  for (unsigned i = 0; i < threads; ++i)
    workers.emplace_back([&] { work(next, first + seeds, mutant, totals, printing); });
  const auto began = std::chrono::steady_clock::now();
  const auto pause = std::chrono::milliseconds(::isatty(STDERR_FILENO) != 0 ? 200 : 10'000);
  for (auto next_word = began; totals.seeds < seeds;) {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    if (std::chrono::steady_clock::now() < next_word) continue;
    next_word = std::chrono::steady_clock::now() + pause;
    const double elapsed = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
    const std::uint64_t done = totals.seeds;
    fmt::print(stderr, "\r{} of {} seeds, {:.0f} a second, {:.0f} s left ", done, seeds,
               double(done) / elapsed, done > 0 ? elapsed * double(seeds - done) / double(done) : 0.0);
  }
  workers.clear();
  fmt::print(stderr, "\n");
  fmt::print(
      "{} seeds: {} moves made, {} undone, {} connections lost with a host, {} events, {} violations\n",
      totals.seeds.load(), totals.moved.load(), totals.undone.load(), totals.broken.load(),
      totals.events.load(), totals.violations.load());
  return totals.violations == 0 ? 0 : 1;
}
