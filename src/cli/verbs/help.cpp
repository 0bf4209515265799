#include <fmt/format.h>
#include <fmt/ranges.h>

#include <memory>

#include "cli/verbs/verbs.h"

namespace sockswap::cli {
namespace {

constexpr Help help{.summary = "Explain the command, or one of its verbs",
                    .examples = "sockswap help\nsockswap help move\nsockswap help cluster add"};

using Words = std::vector<std::string>;

Result<ErrorCode> run(const CommandLine& line, const Words& verb) {
  const std::string text = line.help(verb);
  if (text.empty())
    return failure(ErrorCode::usage, fmt::format("there is no verb '{}'", fmt::join(verb, " ")),
                   "`sockswap help` lists them");
  SOCKSWAP_CHECK(Output::write(text));
  return ErrorCode::ok;
}

}  // namespace

void add_help(CommandLine& line) {
  auto verb = std::make_shared<Words>();
  CLI::App& app = line.add_verb("help", help, [&line, verb](const Context&) { return run(line, *verb); });
  app.add_option("VERB", *verb, "The verb to explain")->type_name("");
}

}  // namespace sockswap::cli
