#include <fmt/format.h>
#include <unistd.h>

#include <fstream>

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

}  // namespace

Result<std::vector<Transfer>> run(const Options& options) {
  SOCKSWAP_TRY(const lab::Scratch scratch, lab::Scratch::make("sockswap-demo"));
  say(fmt::format("making a file of {} MB from the machine's own files", options.megabytes));
  SOCKSWAP_TRY(const SourceFile file,
               make_source_file(scratch.path() / "file", options.megabytes * 1'000'000));
  std::vector<Transfer> transfers;
  for (const std::string& program : options.programs) {
    say(fmt::format("{}: hosts alpha, beta and gamma, a sockswapd on each", program));
    lab::LabOptions lab_options{.name = "demo", .hosts = {}};
    for (const char* name : {"alpha", "beta", "gamma"})
      lab_options.hosts.push_back({.name = name, .link = {.rate = options.rate}});
    SOCKSWAP_TRY(lab::Cluster cluster, lab::Cluster::start(lab_options, options.sockswapd));
    SOCKSWAP_TRY(Transfer done, transfer(cluster, options, program, file, witness()));
    SOCKSWAP_CHECK(write_chart(options, done));
    transfers.push_back(std::move(done));
  }
  return transfers;
}

}  // namespace sockswap::demo
