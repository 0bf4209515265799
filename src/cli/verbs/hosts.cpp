#include "cli/daemon.h"
#include "cli/verbs/verbs.h"

namespace sockswap::cli {
namespace {

constexpr Help help{.summary = "Show the hosts of the cluster, as this host sees them",
                    .examples =
                        "sockswap hosts\n"
                        "sockswap hosts --json | jq -r '.hosts[] | select(.state == \"unreachable\").name'"};

Result<ErrorCode> run(const Context& context) {
  SOCKSWAP_TRY(Daemon daemon, Daemon::connect(context.control_socket));
  SOCKSWAP_TRY(const HostList list, daemon.hosts());
  SOCKSWAP_CHECK(context.output.print(list));
  return ErrorCode::ok;
}

}  // namespace

void add_hosts(CommandLine& line) { line.add_verb("hosts", help, run); }

}  // namespace sockswap::cli
