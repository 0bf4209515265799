#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <thread>

#include "demo/chart.h"
#include "demo/transfer.h"
#include "lab/scratch.h"

namespace sockswap::demo {
namespace {

void say(const std::string& text) { fmt::print(stderr, "{}\n", text); }

Witness witness() {
  const bool terminal = ::isatty(STDERR_FILENO) != 0;
  return {.progress =
              [terminal](std::uint64_t bytes, double rate, const std::string& host) {
                fmt::print(stderr, "{}  {:7.1f} MB received, {:7.0f} Mbit/s, the end is on {:<6}{}",
                           terminal ? "\r" : "", static_cast<double>(bytes) / 1e6, rate, host,
                           terminal ? "" : "\n");
              },
          .moved =
              [terminal](const Move& move) {
                say(fmt::format("{}  moved {} -> {}: the receiver waited {:.2f} ms{:20}",
                                terminal ? "\r" : "", move.from, move.to, move.pause_ms, ""));
              }};
}

Result<> write_chart(const Options& options, Transfer& transfer) {
  transfer.chart = options.chart_folder / fmt::format("demo-{}.svg", transfer.program);
  std::ofstream out(transfer.chart);
  out << chart(transfer);
  out.close();
  if (!out) return failure(ErrorCode::internal, "can't write " + transfer.chart.string());
  return {};
}

// The kernel clears up after the hosts, however this ends; the file is ours to remove.
void clear_up_when_interrupted(const std::filesystem::path& folder) {
  sigset_t ending;
  ::sigemptyset(&ending);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) ::sigaddset(&ending, signal);
  ::pthread_sigmask(SIG_BLOCK, &ending, nullptr);  // in every thread: none is made before
  std::thread([ending, folder] {
    int signal = 0;
    ::sigwait(&ending, &signal);
    std::error_code ignored;
    std::filesystem::remove_all(folder, ignored);
    ::_exit(128 + signal);
  }).detach();
}

// The last quarter is still to move when the sender has written all of it, as far as buffers hold it, and a
// half-closed connection doesn't move.
Result<> check_size(const Options& options) {
  constexpr std::uint64_t buffers = 6'000'000, unshaped = 10'000'000'000;
  const double while_moving = options.guests.empty() ? 0.05 : 2;  // seconds; a guest's programs start slowly
  const std::uint64_t rate = options.rate == 0 ? unshaped : options.rate;
  const auto under_way = static_cast<std::uint64_t>(static_cast<double>(rate) / 8 * while_moving);
  const std::uint64_t least = 4 * (buffers + under_way) / 1'000'000 + 1;
  if (options.megabytes >= least) return {};
  return failure(ErrorCode::usage,
                 fmt::format("{} MB are through before the third move begins", options.megabytes),
                 fmt::format("at this rate take --size {} at least", least));
}

}  // namespace

Result<std::vector<Transfer>> run(const Options& options) {
  SOCKSWAP_CHECK(check_size(options));
  SOCKSWAP_TRY(const lab::Scratch scratch, lab::Scratch::make("sockswap-demo"));
  clear_up_when_interrupted(scratch.path());
  say(fmt::format("making a file of {} MB from the machine's own files", options.megabytes));
  SOCKSWAP_TRY(const SourceFile file,
               make_source_file(scratch.path() / "file", options.megabytes * 1'000'000));
  std::vector<Transfer> transfers;
  for (const std::string& program : options.programs) {
    say(fmt::format("{}: hosts alpha, beta and gamma, a sockswapd on each", program));
    lab::LabOptions lab_options{.name = "demo", .hosts = {}};
    for (const char* name : {"alpha", "beta", "gamma"})
      lab_options.hosts.push_back({.name = name, .link = {.rate = options.rate}});
    for (lab::HostOptions& host : lab_options.hosts)
      if (std::ranges::count(options.guests, host.name) != 0) host.guest = options.guest;
    SOCKSWAP_TRY(lab::Cluster cluster, lab::Cluster::start(lab_options, options.sockswapd));
    SOCKSWAP_TRY(Transfer done, transfer(cluster, options, program, file, witness()));
    SOCKSWAP_CHECK(write_chart(options, done));
    transfers.push_back(std::move(done));
  }
  return transfers;
}

}  // namespace sockswap::demo
