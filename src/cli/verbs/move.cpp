#include <memory>

#include "cli/daemon.h"
#include "cli/filter.h"
#include "cli/verbs/verbs.h"

namespace sockswap::cli {
namespace {

constexpr Help help{.summary = "Have a connection's end handed over to another host",
                    .examples =
                        "sockswap move 10.0.0.1:80-10.0.0.2:5000 --to gamma\n"
                        "sockswap move --pid 4711 --to gamma --receiver chat\n"
                        "sockswap move 10.0.0.1:80-10.0.0.2:5000 --to gamma --dry-run"};

struct Options {
  std::string connection;
  std::optional<pid_t> pid;
  std::string to;
  std::string receiver;
  bool dry_run = false;
  bool quiet = false;
};

Result<FourTuple> wanted(const Options& options, Daemon& daemon) {
  if (!options.pid) return FourTuple::parse(options.connection);
  SOCKSWAP_TRY(const ConnectionList list, daemon.connections());
  return only_movable_of(*options.pid, list);
}

Result<ErrorCode> run(const Options& options, const Context& context) {
  if (options.connection.empty() == !options.pid)
    return failure(ErrorCode::usage, "which connection?",
                   "name it as `sockswap ls` prints it, or its process with --pid, not both");
  // Said before a daemon is needed.
  if (!options.pid) SOCKSWAP_CHECK(FourTuple::parse(options.connection));

  SOCKSWAP_TRY(Daemon daemon, Daemon::connect(context.control_socket));
  SOCKSWAP_TRY(const FourTuple tuple, wanted(options, daemon));
  const MoveOrder order{.tuple = tuple, .to = options.to, .receiver = options.receiver};
  const bool printing = !options.quiet || context.json;
  if (options.dry_run) {
    SOCKSWAP_TRY(const DryRun checked, daemon.dry_run(order));
    if (printing) SOCKSWAP_CHECK(context.output.print(checked));
    return ErrorCode::ok;
  }
  Progress progress(options.quiet ? Progress::Talk::off : Progress::for_stderr());
  SOCKSWAP_TRY(const MoveResult result, daemon.move(order, progress));
  if (printing) SOCKSWAP_CHECK(context.output.print(result));
  return ErrorCode::ok;
}

}  // namespace

void add_move(CommandLine& line) {
  auto options = std::make_shared<Options>();
  CLI::App& app =
      line.add_verb("move", help, [options](const Context& context) { return run(*options, context); });
  app.add_option("CONNECTION", options->connection, "LOCAL-REMOTE, as `sockswap ls` prints it")
      ->type_name("");
  app.add_option("--pid", options->pid, "In its place: the process that has only that one")
      ->type_name("N")
      ->check(process_id());
  app.add_option("--to", options->to, "Where it goes")->type_name("HOST")->check(value())->required();
  app.add_option("--receiver", options->receiver, "Who gets it there (else: the same receiver as here)")
      ->type_name("NAME")
      ->check(value());
  app.add_flag("--dry-run", options->dry_run, "Ask every host that would take part, change nothing");
  app.add_flag("-q,--quiet", options->quiet, "No progress, and no result but as JSON");
}

}  // namespace sockswap::cli
