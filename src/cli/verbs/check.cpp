#include "check/features.h"
#include "cli/verbs/verbs.h"

namespace sockswap::cli {
namespace {

constexpr Help help{
    .summary = "Check that this host's kernel and rights suffice to move connections",
    .examples = "sockswap check\nsockswap check --json | jq '.features[] | select(.available | not)'"};

Result<ErrorCode> run(const Context& context) {
  const FeatureReport report{check::probe_features()};
  SOCKSWAP_CHECK(context.output.print(report));
  return report.sufficient() ? ErrorCode::ok : ErrorCode::unsupported;
}

}  // namespace

void add_check(CommandLine& line) { line.add_verb("check", help, run); }

}  // namespace sockswap::cli
