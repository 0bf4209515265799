#include <algorithm>
#include <memory>

#include "cli/daemon.h"
#include "cli/filter.h"
#include "cli/verbs/verbs.h"

namespace sockswap::cli {
namespace {

constexpr Help help{.summary = "List this host's connections that can be moved",
                    .examples =
                        "sockswap ls --port 6379\n"
                        "sockswap ls --all --pid 4711\n"
                        "sockswap ls --host beta --json | jq -r '.connections[].connection'"};

struct Options {
  bool all = false;
  Filter filter;
};

Result<ErrorCode> run(const Options& options, const Context& context) {
  SOCKSWAP_TRY(Daemon daemon, Daemon::connect(context.control_socket));
  SOCKSWAP_TRY(ConnectionList list, daemon.connections());
  std::erase_if(list.connections, [&](const Connection& it) {
    return !options.filter.matches(it) || (!options.all && !it.movable());
  });
  std::ranges::sort(list.connections, {}, &Connection::tuple);
  if (list.connections.empty())
    remark(options.all ? "no such connections"
                       : "no such connections; --all shows those that can't be moved too");
  SOCKSWAP_CHECK(context.output.print(list));
  return ErrorCode::ok;
}

}  // namespace

void add_ls(CommandLine& line) {
  auto options = std::make_shared<Options>();
  CLI::App& app =
      line.add_verb("ls", help, [options](const Context& context) { return run(*options, context); });
  app.add_flag("--all", options->all, "Those that can't be moved too, with the reason");
  app.add_option("--pid", options->filter.pid, "Only those that this process holds")
      ->type_name("N")
      ->check(process_id());
  app.add_option("--port", options->filter.port, "Only those with this port at either end")
      ->type_name("N")
      ->check(port_number());
  app.add_option("--host", options->filter.peer, "Only those whose other end is on this host")
      ->type_name("HOST")
      ->check(value());
}

}  // namespace sockswap::cli
