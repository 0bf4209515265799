// The command line: which verbs there are, and which one was asked for.
//
// A verb is a file under verbs/ with one function that adds it here. Parsing never runs anything: it
// yields the chosen verb's function, and run_command() calls that. CLI11's exceptions end in parse().
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "cli/output/output.h"

namespace sockswap::cli {

struct Context {
  std::string control_socket;  // path
  const Output& output;
  bool json = false;
};

// What a verb does. Its value is the exit status of a verb that printed its result and is not content
// with it (`check`); run_command() prints an Error.
using Action = std::function<Result<ErrorCode>(const Context&)>;

struct Help {
  std::string_view summary;   // one line
  std::string_view examples;  // lines, without indentation
};

class CommandLine {
 public:
  CommandLine();

  // `action` is what the verb does; its own options are added to the App that is returned.
  CLI::App& add_verb(std::string_view name, const Help& help, Action action);
  CLI::App& add_verb(CLI::App& group, std::string_view name, const Help& help, Action action);
  // A word that only verbs can follow, as in `sockswap cluster add`.
  CLI::App& add_group(std::string_view name, std::string_view summary);

  // Once, after the last verb has been added.
  void complete();

  // The chosen verb. Asking for help is answered here: then there is nothing left to do.
  Result<std::optional<Action>> parse(int argc, const char* const* argv);

  std::string help(const std::vector<std::string>& verb) const;  // empty: there is no such verb
  bool json() const { return json_; }                            // valid even if parsing failed
  std::string control_socket() const;

 private:
  void add_common_options(CLI::App& app);

  CLI::App root_;
  std::vector<CLI::App*> verbs_;  // of root_ and its groups
  Action chosen_;
  std::string control_socket_;
  bool json_ = false;
};

// What an option's value must be.
CLI::Validator process_id();
CLI::Validator port_number();
CLI::Validator value();  // not the next option: CLI11 would take `--dry-run` for the name in `--to --dry-run`

// main() without its exceptions: parses, runs, prints errors; returns the exit status.
int run_command(int argc, const char* const* argv);

}  // namespace sockswap::cli
