// The table of faults, case by case, each in a process of its own. Needs root.
//
// Exit status: 0 if every case holds that isn't known to fail, and every one fails that is.
#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <atomic>
#include <iostream>
#include <map>
#include <mutex>
#include <thread>

#include "base/log.h"
#include "known.h"
#include "lab/process.h"
#include "table.h"
#include "trial.h"

namespace sockswap::faults {
namespace {

const Programs programs{SOCKSWAPD, SOCKSWAP, FAULT_END, SOAK_STILL};

constexpr std::chrono::minutes one_case_takes_at_most{3};
constexpr int tries = 5;
constexpr int holds = 0, fails = 1;

// Not each run passes each step: messages between three hosts may overtake each other.
int one(const std::string& name) {
  const auto what = find(name);
  if (!what) {
    fmt::print("there is no case '{}'\n", name);
    return fails;
  }
  for (int i = 0; i < tries; ++i) {
    const auto outcome = run(programs, *what);
    if (!outcome) {
      fmt::print("{}\n", outcome.error().text());
      return fails;
    }
    if (!outcome->reached) continue;
    for (const std::string& complaint : outcome->complaints) fmt::print("{}\n", complaint);
    for (const std::string& line : outcome->settling) fmt::print("  {}\n", line);
    fmt::print("became: {}\n", outcome->became);
    return outcome->complaints.empty() ? holds : fails;
  }
  fmt::print("the step was not reached in {} moves\n", tries);
  return fails;
}

struct Tally {
  int cases = 0, held = 0, known = 0, failed = 0;
};

class Runner {
 public:
  explicit Runner(std::vector<std::string> names) : names_(std::move(names)) {}

  int run(unsigned jobs) {
    std::vector<std::thread> threads;
    for (unsigned i = 0; i < jobs; ++i)
      threads.emplace_back([this] {
        for (std::size_t at; (at = next_++) < names_.size();) run_one(names_[at]);
      });
    for (std::thread& thread : threads) thread.join();
    fmt::print("\n{:<24}{:>7}{:>7}{:>7}{:>7}\n", "fault", "cases", "held", "known", "failed");
    for (const auto& [fault, tally] : tallies_)
      fmt::print("{:<24}{:>7}{:>7}{:>7}{:>7}\n", fault, tally.cases, tally.held, tally.known, tally.failed);
    for (const std::string& name : failed_) fmt::print("failed: {}\n", name);
    return failed_.empty() ? holds : fails;
  }

 private:
  void run_one(const std::string& name) {
    const auto began = std::chrono::steady_clock::now();
    lab::Command command{.argv = {"/proc/self/exe", "--one", name}};
    command.out = lab::Stdio::pipe();
    auto process = lab::Process::spawn(command);
    std::string said;
    bool held = false;
    if (process) {
      const auto output = process->finish(one_case_takes_at_most);
      held = output && output->status.ok();
      said = output ? output->out : output.error().text();
      if (output && output->status.signal != 0) said += output->status.text() + "\n";
    } else {
      said = process.error().text();
    }
    note(name, held, said, std::chrono::steady_clock::now() - began);
  }

  void note(const std::string& name, bool held, const std::string& said, std::chrono::duration<double> took) {
    const std::lock_guard lock(mutex_);
    const auto known = known_failures().find(name);
    const bool is_known = known != known_failures().end();
    Tally& tally = tallies_[name.substr(name.find('/') + 1)];
    Tally& all = tallies_["~ all"];
    const char* word = held ? "holds" : is_known ? "known" : "FAILS";
    if (held && is_known) word = "HOLDS, though it is known to fail: take it off the list";
    for (Tally* each : {&tally, &all}) {
      ++each->cases;
      each->held += held;
      each->known += !held && is_known;
      each->failed += held == is_known;
    }
    if (held == is_known) failed_.push_back(name);
    fmt::print("[{:>4}/{}] {:<55} {:>5.1f} s  {}\n", ++done_, names_.size(), name, took.count(), word);
    if (is_known) fmt::print("    why: {}\n", known->second);
    if (!held) fmt::print("    {}\n", said);
    std::fflush(stdout);
  }

  const std::vector<std::string> names_;
  std::atomic<std::size_t> next_{0};
  std::mutex mutex_;  // guards what follows
  std::size_t done_ = 0;
  std::map<std::string, Tally> tallies_;
  std::vector<std::string> failed_;
};

int main_of(int argc, char** argv) {
  CLI::App app("The table of faults: every step of a move × every party's end.", "sockswap-faults");
  std::string one_case;
  std::vector<std::string> names;
  std::size_t sampled = 0;
  std::uint64_t seed = 1;
  unsigned jobs = 2;
  bool list = false;
  app.add_option("--one", one_case, "Run that case in this process");
  app.add_option("--sample", sampled, "So many cases, chosen by the seed");
  app.add_option("--seed", seed, "Of the sample")->capture_default_str();
  app.add_option("--jobs", jobs, "Labs at a time; they wait most of the time")->capture_default_str();
  app.add_flag("--list", list, "Print the names of the cases and exit");
  app.add_option("CASES", names, "These only; part of a name is enough");
  CLI11_PARSE(app, argc, argv);
  log::set_up("sockswap-faults", "error");
  if (!one_case.empty()) return one(one_case);

  std::vector<std::string> chosen;
  for (const Case& what : sampled > 0 ? sample(seed, sampled) : table()) {
    const std::string name = what.name();
    const auto part_of = [&](const std::string& part) { return name.find(part) != std::string::npos; };
    if (names.empty() || std::ranges::any_of(names, part_of)) chosen.push_back(name);
  }
  if (list) {
    for (const std::string& name : chosen) fmt::print("{}\n", name);
    return holds;
  }
  if (::geteuid() != 0) {
    fmt::print(stderr, "sockswap-faults: root is missing: a lab needs namespaces of its own\n");
    return fails;
  }
  if (chosen.empty()) fmt::print(stderr, "sockswap-faults: no case has such a name\n");
  if (sampled > 0) fmt::print("{} cases of {}, seed {}\n", chosen.size(), table().size(), seed);
  return chosen.empty() ? fails : Runner(std::move(chosen)).run(jobs);
}

}  // namespace
}  // namespace sockswap::faults

int main(int argc, char** argv) { return sockswap::faults::main_of(argc, argv); }
