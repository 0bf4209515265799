#include "cli/output/text.h"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cstdlib>
#include <ctime>
#include <string_view>

#include "cli/output/printable.h"

namespace sockswap::cli {
namespace {

constexpr auto right = Column::Align::right;
// Two IPv4 endpoints with five-digit ports: "255.255.255.255:65535-255.255.255.255:65535".
constexpr std::size_t widest_v4_tuple = 43;

std::string joined(const std::vector<Address>& addresses) {
  std::string out;
  for (const Address& address : addresses) out += (out.empty() ? "" : " ") + address.text();
  return out;
}

// "nginx[1234]", "nginx[1234] +2"
std::string holders(const std::vector<Process>& processes) {
  if (processes.empty()) return "-";
  std::string out = fmt::format("{}[{}]", processes.front().command, processes.front().pid);
  if (processes.size() > 1) out += fmt::format(" +{}", processes.size() - 1);
  return out;
}

std::string paragraph(const std::string& text) {
  std::string out;
  for (const std::string& line : wrapped(printable(text), page_width)) out += line + '\n';
  return out;
}

std::string or_dash(const std::string& text) { return text.empty() ? "-" : text; }

std::string local_time(std::int64_t unix_us) {
  const auto seconds = static_cast<std::time_t>(unix_us / 1'000'000);
  std::tm broken_down{};
  if (::localtime_r(&seconds, &broken_down) == nullptr) return "-";
  return fmt::format("{:%m-%d %H:%M:%S}", broken_down);
}

// A step's name and time stay on one line: their blanks don't break.
std::string in_a_row(const std::vector<Step>& steps) {
  std::string out;
  for (const Step& step : steps) {
    if (!out.empty()) out += "  ";
    for (const char letter : fmt::format("{} {}", step.name, duration(step.at_us)))
      out += letter == ' ' ? std::string(unbreakable_blank) : std::string(1, letter);
  }
  return out;
}

Paint paint_of_host(std::string_view state) {
  if (state == "self" || state == "connected") return Paint::good;
  return state == "unreachable" ? Paint::bad : Paint::faint;
}

}  // namespace

TextOutput TextOutput::for_stdout() {
  if (::isatty(STDOUT_FILENO) == 0) return {Target::file, Painter::Colour::off};
  const char* no_color = std::getenv("NO_COLOR");
  const char* term = std::getenv("TERM");
  const bool plain =
      (no_color != nullptr && *no_color != '\0') || term == nullptr || term == std::string_view("dumb");
  return {Target::terminal, plain ? Painter::Colour::off : Painter::Colour::on};
}

std::string TextOutput::render(const FeatureReport& report) const {
  Table table({{"FEATURE", 40}, {"", 9}, {"NEEDED", 8}});
  std::size_t missing = 0;
  for (const check::Feature& feature : report.features) {
    const bool blocks = feature.required && !feature.available;
    missing += blocks;
    table.row(
        {feature.name,
         feature.available ? Cell("ok", Paint::good) : Cell("missing", blocks ? Paint::bad : Paint::warning),
         feature.required ? "yes" : "optional"});
    if (feature.available) continue;
    if (!feature.reason.empty()) table.note({feature.reason, Paint::plain});
    if (!feature.hint.empty()) table.note({"hint: " + feature.hint, Paint::plain});
  }
  return table.text(painter_) +
         (missing == 0 ? painter_("This host can move connections.", Paint::good)
                       : painter_(fmt::format("This host can't move connections: {} needed {} missing.",
                                              missing, missing == 1 ? "feature is" : "features are"),
                                  Paint::bad)) +
         '\n';
}

std::string TextOutput::render(const HostList& list) const {
  Table table(
      {{"HOST", 20}, {"STATE", 13}, {"ROUND TRIP", 10, right}, {"PORT", 5, right}, {"ADDRESSES", 40}});
  for (const Host& host : list.hosts) {
    table.row({host.name, Cell(host.state, paint_of_host(host.state)),
               host.round_trip_us ? duration(*host.round_trip_us) : "-", std::to_string(host.port),
               joined(host.addresses)});
    if (!host.error.empty()) table.note({host.error, Paint::warning});
  }
  return table.text(painter_);
}

std::string TextOutput::render(const ConnectionList& list) const {
  if (list.connections.empty()) return "";
  Table table({{"CONNECTION", widest_v4_tuple}, {"HOST", 14}, {"RECEIVER", 14}, {"PROCESS", 22}});
  for (const Connection& connection : list.connections) {
    table.row({connection.tuple.text(), or_dash(connection.peer), or_dash(connection.receiver),
               holders(connection.processes)});
    if (!connection.movable()) table.note({"not movable: " + connection.immovable, Paint::warning});
  }
  return table.text(painter_);
}

std::string TextOutput::render(const MoveResult& result) const {
  const std::string out =
      paragraph(fmt::format("{} moved to {}", result.tuple.text(), result.to)) +
      paragraph(fmt::format("pause {}, move {}", duration(result.pause_us), result.move_id));
  Table table({{"STEP", 40}, {"AT", 12, right}});
  for (const Step& step : result.steps) table.row({step.name, duration(step.at_us)});
  return result.steps.empty() ? out : out + table.text(painter_);
}

std::string TextOutput::render(const DryRun& dry_run) const {
  return paragraph(
      fmt::format("{} can be moved to {}; nothing was changed", dry_run.tuple.text(), dry_run.to));
}

std::string TextOutput::render(const MoveList& list) const {
  if (list.moves.empty()) return "";
  constexpr std::size_t id_digits = 8;  // enough to tell apart what one daemon remembers
  Table table({{"MOVE", id_digits},
               {"BEGAN", 14},
               {"ROLE", 11},
               {"STATE", 14},
               {"FROM", 12},
               {"TO", 12},
               {"ENDS", 4, right},
               {"PAUSE", 9, right}});
  for (const MoveRecord& move : list.moves) {
    table.row({move.move_id.substr(0, id_digits), local_time(move.began_unix_us), move.role,
               Cell(move.state, move.error ? Paint::bad : Paint::plain), move.origin, move.destination,
               std::to_string(move.ends.size()), move.pause_us > 0 ? duration(move.pause_us) : "-"});
    if (!move.steps.empty()) table.note({in_a_row(move.steps), Paint::faint});
    if (move.error) table.note({move.error->text(), Paint::bad});
  }
  return table.text(painter_);
}

std::string TextOutput::render(const ClusterChange& change) const {
  std::string out = printable(change.done) + '\n';
  for (const std::string& file : change.files) out += "  " + printable(file) + '\n';
  if (!change.next.empty()) out += painter_("Next:", Paint::title) + '\n';
  for (const std::string& step : change.next) out += "  " + printable(step) + '\n';
  return out;
}

std::string TextOutput::render(const Version& version) const { return "sockswap " + version.version + '\n'; }

// People read errors on stderr.
std::string TextOutput::render(const Error&) const { return ""; }

std::string_view TextOutput::between_frames() const {
  return target_ == Target::terminal ? "\x1b[H\x1b[2J" : "\n";
}

}  // namespace sockswap::cli
