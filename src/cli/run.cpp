#include "cli/command_line.h"
#include "cli/output/json.h"
#include "cli/output/text.h"
#include "cli/verbs/verbs.h"

namespace sockswap::cli {
namespace {

int fail(const Error& error, const Output& output) {
  report(error);
  // Nothing can be done about an error that can't be written either: the status tells.
  (void)output.print(error);
  return static_cast<int>(error.code);
}

}  // namespace

int run_command(int argc, const char* const* argv) {
  CommandLine line;
  for (const auto add : verbs) add(line);
  line.complete();
  const auto action = line.parse(argc, argv);

  const JsonOutput json;
  const TextOutput text = TextOutput::for_stdout();
  const Output& output = line.json() ? static_cast<const Output&>(json) : text;
  if (!action) return fail(action.error(), output);
  if (!*action) return static_cast<int>(ErrorCode::ok);

  const Context context{.control_socket = line.control_socket(), .output = output, .json = line.json()};
  const Result<ErrorCode> status = (**action)(context);
  return status ? static_cast<int>(*status) : fail(status.error(), output);
}

}  // namespace sockswap::cli
