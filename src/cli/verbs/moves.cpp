#include <fmt/format.h>

#include <charconv>
#include <chrono>
#include <memory>
#include <set>
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

constexpr Help settle_help{
    .summary = "Decide a move that is in doubt here and would stay so",
    .examples =
        "sockswap moves settle 3f2a9c01 undone\n"
        "sockswap moves settle 3f2a9c01 moved"};

struct Settling {
  std::string id;
  std::string outcome;
};

// The id may be cut short, as `sockswap moves` prints it, if only one move's begins so.
Result<std::string> whole_id(const std::string& id, const MoveList& list) {
  std::set<std::string> found;
  for (const auto& move : list.moves)
    if (!id.empty() && move.move_id.starts_with(id)) found.insert(move.move_id);
  if (found.size() == 1) return *found.begin();
  return failure(
      found.empty() ? ErrorCode::not_found : ErrorCode::usage,
      fmt::format("{} begins with '{}'", found.empty() ? "no move's id" : "more than one move's id", id),
      "`sockswap moves --json` has the ids in full");
}

std::string bytes_of(const std::string& id) {
  std::string bytes;
  for (std::size_t at = 0; at + 2 <= id.size(); at += 2) {
    unsigned octet = 0;
    std::from_chars(id.data() + at, id.data() + at + 2, octet, 16);
    bytes.push_back(static_cast<char>(octet));
  }
  return bytes;
}

Result<ErrorCode> settle(const Settling& settling, const Context& context) {
  SOCKSWAP_TRY(Daemon daemon, Daemon::connect(context.control_socket));
  SOCKSWAP_TRY(const MoveList list, daemon.moves());
  SOCKSWAP_TRY(const std::string id, whole_id(settling.id, list));
  SOCKSWAP_CHECK(daemon.settle(bytes_of(id), settling.outcome == "moved"));
  return ErrorCode::ok;
}

}  // namespace

void add_moves(CommandLine& line) {
  auto options = std::make_shared<Options>();
  CLI::App& app =
      line.add_verb("moves", help, [options](const Context& context) { return run(*options, context); });
  app.add_flag("--watch", options->watch, "Go on, printing the list whenever it changes");

  auto settling = std::make_shared<Settling>();
  CLI::App& settle_app = line.add_verb(
      app, "settle", settle_help, [settling](const Context& context) { return settle(*settling, context); });
  settle_app.add_option("ID", settling->id, "The move's id, as `sockswap moves` prints it")
      ->type_name("")
      ->required();
  settle_app
      .add_option("OUTCOME", settling->outcome, "moved or undone: what the others have done, as you know")
      ->type_name("")
      ->check(CLI::IsMember({"moved", "undone"}))
      ->required();
}

}  // namespace sockswap::cli
