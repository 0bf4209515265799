#include "cli/verbs/verbs.h"

namespace sockswap::cli {
namespace {

constexpr Help help{.summary = "Print the version", .examples = "sockswap version --json"};

Result<ErrorCode> run(const Context& context) {
  SOCKSWAP_CHECK(context.output.print(Version{SOCKSWAP_VERSION}));
  return ErrorCode::ok;
}

}  // namespace

void add_version(CommandLine& line) { line.add_verb("version", help, run); }

}  // namespace sockswap::cli
