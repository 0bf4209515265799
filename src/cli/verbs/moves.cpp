#include <chrono>
#include <memory>
#include <thread>

#include "cli/daemon.h"
#include "cli/verbs/verbs.h"

namespace sockswap::cli {
namespace {

constexpr Help help{.summary = "List the moves that this host takes or took part in",
                    .examples =
                        "sockswap moves\n"
                        "sockswap moves --watch\n"
                        "sockswap moves --json | jq '.moves[] | select(.error)'"};

struct Options {
  bool watch = false;
};

Result<ErrorCode> watch(Daemon& daemon, const Output& output) {
  constexpr std::chrono::milliseconds interval(500);
  std::string shown;
  for (;;) {
    SOCKSWAP_TRY(const MoveList list, daemon.moves());
    const std::string frame = output.render(list);
    if (frame != shown) SOCKSWAP_CHECK(Output::write(std::string(output.between_frames()) + frame));
    shown = frame;
    std::this_thread::sleep_for(interval);
  }
}

Result<ErrorCode> run(const Options& options, const Context& context) {
  SOCKSWAP_TRY(Daemon daemon, Daemon::connect(context.control_socket));
  if (options.watch) return watch(daemon, context.output);
  SOCKSWAP_TRY(const MoveList list, daemon.moves());
  if (list.moves.empty()) remark("no moves");
  SOCKSWAP_CHECK(context.output.print(list));
  return ErrorCode::ok;
}

}  // namespace

void add_moves(CommandLine& line) {
  auto options = std::make_shared<Options>();
  CLI::App& app =
      line.add_verb("moves", help, [options](const Context& context) { return run(*options, context); });
  app.add_flag("--watch", options->watch, "Go on, printing the list whenever it changes");
}

}  // namespace sockswap::cli
