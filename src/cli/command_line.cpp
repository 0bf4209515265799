#include "cli/command_line.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cstring>
#include <limits>

#include "client/connection.h"

namespace sockswap::cli {
namespace {

constexpr std::string_view see_help = "see `sockswap help`";

std::string footer(std::string_view examples) {
  std::string out = "Examples:";
  while (!examples.empty()) {
    const std::size_t end = std::min(examples.find('\n'), examples.size());
    out.append("\n  ").append(examples.substr(0, end));
    examples.remove_prefix(std::min(end + 1, examples.size()));
  }
  return out;
}

// CLI11 begins its sentences with a capital and may go on for lines; ours are clauses of one line.
tl::unexpected<Error> usage_failure(std::string message) {
  message.resize(std::min(message.find('\n'), message.size()));
  const bool sentence = message.size() > 1 && std::isupper(static_cast<unsigned char>(message[0])) != 0 &&
                        std::islower(static_cast<unsigned char>(message[1])) != 0;
  if (sentence) message[0] = static_cast<char>(std::tolower(static_cast<unsigned char>(message[0])));
  return failure(ErrorCode::usage, std::move(message), std::string(see_help));
}

CLI::Validator whole_number(int most) {
  return CLI::Validator(
      [most](const std::string& text) -> std::string {
        int value = 0;
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
        if (error == std::errc() && end == text.data() + text.size() && value >= 1 && value <= most)
          return "";
        return fmt::format("'{}' is not a number from 1 to {}", text, most);
      },
      "");
}

}  // namespace

CLI::Validator process_id() { return whole_number(4'194'304); }  // PID_MAX_LIMIT, linux/threads.h
CLI::Validator port_number() { return whole_number(std::numeric_limits<std::uint16_t>::max()); }
CLI::Validator value() {
  return CLI::Validator(
      [](const std::string& text) {
        return text.starts_with("--") ? fmt::format("'{}' is an option, a value was expected", text) : "";
      },
      "");
}

CommandLine::CommandLine() : root_("Moves live TCP connections between hosts.", "sockswap") {
  root_.get_formatter()->column_width(30);
  root_.get_formatter()->label("SUBCOMMAND", "VERB");
  root_.get_formatter()->label("Positionals", "Arguments");
  // One verb a call: the words after it are its own, even those that are the names of verbs.
  root_.require_subcommand(0, 1);
  root_.footer(
      footer("sockswap check\nsockswap ls\nsockswap move 10.0.0.1:80-10.0.0.2:5000 --to gamma\n"
             "sockswap help move"));
}

// After the verbs' own options, so that their help says the important things first.
void CommandLine::add_common_options(CLI::App& app) {
  app.add_option("--control", control_socket_,
                 "sockswapd's socket ($SOCKSWAP_CONTROL or /run/sockswap/control.sock)")
      ->type_name("PATH")
      ->check(value());
  app.add_flag("--json", json_, "Print JSON, errors too");
  app.set_help_flag();  // takes away the one that every App begins with
  app.set_help_flag("-h,--help", "Print this");
}

CLI::App& CommandLine::add_verb(std::string_view name, const Help& help, Action action) {
  return add_verb(root_, name, help, std::move(action));
}

CLI::App& CommandLine::add_verb(CLI::App& group, std::string_view name, const Help& help, Action action) {
  CLI::App& verb = *group.add_subcommand(std::string(name), std::string(help.summary));
  verb.footer(footer(help.examples));
  verb.group("Verbs");
  verb.callback([this, &verb, action = std::move(action)] {
    if (verb.get_subcommands().empty()) chosen_ = action;  // a verb below it comes before it
  });
  verbs_.push_back(&verb);
  return verb;
}

CLI::App& CommandLine::add_group(std::string_view name, std::string_view summary) {
  CLI::App& group = *root_.add_subcommand(std::string(name), std::string(summary));
  group.require_subcommand(0, 1);
  group.group("Verbs");
  group.footer("");
  group.set_help_flag("-h,--help", "Print this");
  return group;
}

void CommandLine::complete() {
  for (CLI::App* app : verbs_) add_common_options(*app);
  add_common_options(root_);
  root_.set_version_flag("--version", "sockswap " SOCKSWAP_VERSION, "Print the version");
}

Result<std::optional<Action>> CommandLine::parse(int argc, const char* const* argv) {
  // An error may come before the flag has been reached.
  json_ = std::any_of(argv, argv + argc, [](const char* word) { return std::strcmp(word, "--json") == 0; });
  try {
    root_.parse(argc, argv);
  } catch (const CLI::CallForVersion& asked) {
    SOCKSWAP_CHECK(Output::write(std::string(asked.what()) + '\n'));
    return std::nullopt;
  } catch (const CLI::CallForHelp&) {
    SOCKSWAP_CHECK(Output::write(root_.help()));
    return std::nullopt;
  } catch (const CLI::ParseError& error) {
    return usage_failure(error.what());
  }
  if (!chosen_) return failure(ErrorCode::usage, "no verb given", std::string(see_help));
  return std::optional<Action>(chosen_);
}

std::string CommandLine::help(const std::vector<std::string>& verb) const {
  const CLI::App* at = &root_;
  std::string path = "sockswap";
  for (const std::string& word : verb) {
    const auto below = at->get_subcommands([&](const CLI::App* it) { return it->get_name() == word; });
    if (below.empty()) return "";
    if (at != &root_) path += " " + at->get_name();
    at = below.front();
  }
  // Not App::help(), which would describe the verb that is running: `help`.
  const std::string called = at == &root_ ? path : path + " " + at->get_name();
  return at->get_formatter()->make_help(at, called, CLI::AppFormatMode::Normal);
}

std::string CommandLine::control_socket() const {
  return control_socket_.empty() ? client::default_control_socket() : control_socket_;
}

}  // namespace sockswap::cli
