// sockswap-lab: virtual hosts on this machine, to try things on.
#include <fmt/format.h>

#include <utility>
#include <vector>

#include "commands/commands.h"

int main(int argc, char** argv) {
  using namespace sockswap;
  CLI::App app("Virtual hosts on this machine, joined by links as bad as you like", "sockswap-lab");
  app.require_subcommand(1);
  std::vector<std::pair<CLI::App*, lab::Verb>> verbs;
  const auto add = [&](const char* name, const char* help, lab::Verb (*adder)(CLI::App&)) {
    CLI::App* const verb = app.add_subcommand(name, help);
    verbs.emplace_back(verb, adder(*verb));
  };
  add("up", "Make a lab", lab::add_up);
  add("enter", "Run a shell or a command on a host", lab::add_enter);
  add("ls", "List the labs that are up", lab::add_ls);
  add("down", "End a lab", lab::add_down);

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : static_cast<int>(ErrorCode::usage);
  }
  for (const auto& [verb, act] : verbs) {
    if (!verb->parsed()) continue;
    const auto status = act();
    if (status) return *status;
    fmt::print(stderr, "sockswap-lab: {}\n", status.error().text());
    if (!status.error().hint.empty()) fmt::print(stderr, "hint: {}\n", status.error().hint);
    return static_cast<int>(status.error().code);
  }
  return static_cast<int>(ErrorCode::usage);
}
