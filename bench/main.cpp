// sockswap-bench NAME [--json]: one benchmark in a lab of its own. Needs root.
#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <functional>

#include "bench.h"

namespace {

using sockswap::bench::Json;
using sockswap::bench::Report;
using Benchmark = std::function<sockswap::Result<Report>(const sockswap::bench::Options&)>;

// One whose figures are shown as they are.
Benchmark plain(sockswap::Result<Json> (*benchmark)(const sockswap::bench::Options&)) {
  return [benchmark](const sockswap::bench::Options& options) -> sockswap::Result<Report> {
    SOCKSWAP_TRY(Json figures, benchmark(options));
    return Report{std::move(figures), {}};
  };
}

// "a.b  value", a line a figure.
void print(const Json& json, const std::string& prefix = {}) {
  for (const auto& [key, value] : json.items()) {
    const std::string name = prefix.empty() ? key : prefix + "." + key;
    if (value.is_object() && !value.contains("p50"))
      print(value, name);
    else
      fmt::print("{:<48} {}\n", name, value.dump());
  }
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Measures sockswap in a lab on this machine.", "sockswap-bench");
  app.require_subcommand(1);
  sockswap::bench::Options options;
  bool json = false;
  Benchmark chosen;
  const auto add = [&](const char* name, const char* what, Benchmark benchmark) {
    CLI::App* sub = app.add_subcommand(name, what);
    sub->add_flag("--json", json, "One JSON object");
    sub->callback([&chosen, benchmark] { chosen = benchmark; });
    return sub;
  };
  add("idle", "Moves of an idle connection: the pause and its parts", plain(sockswap::bench::idle))
      ->add_option("--moves", options.moves)
      ->capture_default_str();
  CLI::App* stream =
      add("stream", "A stream moved once against one that isn't", plain(sockswap::bench::stream));
  stream->add_option("--pairs", options.pairs)->capture_default_str();
  stream->add_option("--size", options.megabytes, "MB")->capture_default_str();
  stream->add_option("--rate", options.rate, "of every link; 0bit: unshaped")->capture_default_str();
  CLI::App* lone =
      add("lone-request", "A request in flight when the move begins", plain(sockswap::bench::lone_request));
  lone->add_option("--moves", options.moves, "a tenth as many are made")->capture_default_str();
  lone->add_option("--delay", options.delay, "of every link, each way")->capture_default_str();
  add("flood", "Moves while a stranger floods the daemon at the other end", plain(sockswap::bench::flood))
      ->add_option("--moves", options.moves, "a half of them without")
      ->capture_default_str();
  CLI::App* soak = add("soak", "A connection under load moved again and again, and what drifts",
                       plain(sockswap::bench::soak));
  soak->add_option("--moves", options.soak_moves)->capture_default_str()->check(CLI::PositiveNumber);
  soak->add_flag("--both", options.both_wander, "Both ends wander; else one stays, an ordinary program");
  soak->add_option("--rate", options.megabytes_a_second, "MB/s each way; 0: as fast as it goes")
      ->capture_default_str();
  CLI::App* thesis = add("thesis", "The table of 2002: relays, plain TCP, socket swaps, today's ways",
                         sockswap::bench::thesis);
  thesis->add_option("--rate", options.rate, "of every link; 0bit: unshaped")->default_str("100mbit");
  thesis->add_option("--rtt", options.round_trip, "round trip between two hosts, on top of the machine's own")
      ->capture_default_str();
  thesis->add_option("--size", options.megabytes, "MB")->capture_default_str()->check(CLI::Range(4, 10'000));
  thesis->add_option("--rounds", options.rounds)->capture_default_str()->check(CLI::PositiveNumber);
  thesis->add_option("--lanes", options.lanes, "rows at a time; 0: 3 up to 100 Mbit/s, else 1")
      ->capture_default_str()
      ->check(CLI::Range(0, 16));
  thesis->add_option("--rows", options.rows, "only these; see the names in --json")->delimiter(',');
  thesis->add_flag("--quick", options.quick, "40 MB, one round");
  thesis->add_option("--results", options.results, "Folder to write table and charts to");
  thesis->add_option("--name", options.name, "How the files' names there begin")->default_val("thesis");
  thesis->preparse_callback([&](std::size_t) { options.rate = "100mbit"; });
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  if (::geteuid() != 0) {
    fmt::print(stderr, "sockswap-bench: root is missing: it measures between virtual hosts\n");
    return 9;
  }
  try {
    const auto result = chosen(options);
    if (!result) {
      fmt::print(stderr, "sockswap-bench: {}\nhint: {}\n", result.error().text(), result.error().hint);
      return static_cast<int>(result.error().code);
    }
    const Json& figures = result->figures;
    if (json)
      fmt::print("{}\n", figures.dump());
    else if (!result->text.empty())
      fmt::print("{}", result->text);
    else
      print(figures);
    for (const Json& complaint : figures.value("complaints", Json::array()))
      fmt::print(stderr, "sockswap-bench: {}\n", complaint.get<std::string>());
    return figures.value("holds", true) ? 0 : 1;
  } catch (const std::exception& error) {
    fmt::print(stderr, "sockswap-bench: {}\n", error.what());
    return 1;
  }
}
