// sockswap-bench NAME [--json]: one benchmark in a lab of its own. Needs root.
#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>

#include "bench.h"

namespace {

using sockswap::bench::Json;

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
  using Benchmark = sockswap::Result<Json> (*)(const sockswap::bench::Options&);
  Benchmark chosen = nullptr;
  const auto add = [&](const char* name, const char* what, Benchmark benchmark) {
    CLI::App* sub = app.add_subcommand(name, what);
    sub->add_flag("--json", json, "One JSON object");
    sub->callback([&chosen, benchmark] { chosen = benchmark; });
    return sub;
  };
  add("idle", "Moves of an idle connection: the pause and its parts", sockswap::bench::idle)
      ->add_option("--moves", options.moves)
      ->capture_default_str();
  CLI::App* stream = add("stream", "A stream moved once against one that isn't", sockswap::bench::stream);
  stream->add_option("--pairs", options.pairs)->capture_default_str();
  stream->add_option("--size", options.megabytes, "MB")->capture_default_str();
  stream->add_option("--rate", options.rate, "of every link; 0bit: unshaped")->capture_default_str();
  CLI::App* lone =
      add("lone-request", "A request in flight when the move begins", sockswap::bench::lone_request);
  lone->add_option("--moves", options.moves, "a tenth as many are made")->capture_default_str();
  lone->add_option("--delay", options.delay, "of every link, each way")->capture_default_str();
  add("flood", "Moves while a stranger floods the daemon at the other end", sockswap::bench::flood)
      ->add_option("--moves", options.moves, "a half of them without")
      ->capture_default_str();
  CLI::App* soak =
      add("soak", "A connection under load moved again and again, and what drifts", sockswap::bench::soak);
  soak->add_option("--moves", options.soak_moves)->capture_default_str()->check(CLI::PositiveNumber);
  soak->add_flag("--both", options.both_wander, "Both ends wander; else one stays, an ordinary program");
  soak->add_option("--rate", options.megabytes_a_second, "MB/s each way; 0: as fast as it goes")
      ->capture_default_str();
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
    if (json)
      fmt::print("{}\n", result->dump());
    else
      print(*result);
    for (const Json& complaint : result->value("complaints", Json::array()))
      fmt::print(stderr, "sockswap-bench: {}\n", complaint.get<std::string>());
    return result->value("holds", true) ? 0 : 1;
  } catch (const std::exception& error) {
    fmt::print(stderr, "sockswap-bench: {}\n", error.what());
    return 1;
  }
}
