// The table in JSON and Markdown, and the charts.
#include <fmt/format.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <functional>

#include "demo/chart.h"
#include "statistics.h"
#include "thesis.h"

namespace sockswap::thesis {
namespace {

double megabits_per_second(const Options& options, double seconds) {
  return static_cast<double>(options.megabytes) * 8 / seconds;
}

std::string link(const Options& options) {
  const std::string rate =
      options.rate == 0 ? "unshaped" : fmt::format("{} Mbit/s", options.rate / 1'000'000);
  if (options.round_trip.count() == 0) return rate;
  return fmt::format("{}, {} ms round trip added", rate,
                     static_cast<double>(options.round_trip.count()) / 1e6);
}

// Of the rounds, the one whose time is the median.
const Measured& typical(const RowResult& result) {
  const double median = result.median(&Measured::seconds);
  return *std::ranges::min_element(
      result.rounds, {}, [&](const Measured& measured) { return std::abs(measured.seconds - median); });
}

std::vector<double> all_of(const RowResult& result, double Measured::*what) {
  std::vector<double> out;
  for (const Measured& measured : result.rounds) out.push_back(measured.*what);
  return out;
}

std::optional<std::uint64_t> home_bytes(const RowResult& result) {
  std::optional<std::uint64_t> most;
  for (const Measured& measured : result.rounds)
    if (measured.home_bytes) most = std::max(most.value_or(0), *measured.home_bytes);
  return most;
}

std::uint64_t timeouts(const RowResult& result) {
  std::uint64_t sum = 0;
  for (const Measured& measured : result.rounds) sum += measured.timeouts;
  return sum;
}

// Of the rounds that have it.
std::vector<double> all_of(const RowResult& result, std::optional<double> Measured::*what) {
  std::vector<double> out;
  for (const Measured& measured : result.rounds)
    if (measured.*what) out.push_back(*(measured.*what));
  return out;
}

struct Column {
  std::string title;
  std::size_t width;
  std::function<std::string(const RowResult&)> cell;
  bool is_text = false;

  std::string aligned(const std::string& text) const {
    return is_text ? fmt::format("{:<{}}", text, width) : fmt::format("{:>{}}", text, width);
  }
};

std::string median_of(const std::vector<double>& values) {
  return values.empty() ? "" : fmt::format("{:.2f}", bench::median(values));
}

std::string old_figure_beside(const RowResult& result) {
  const auto old = std::ranges::find(old_figures(), result.row->name, &OldFigure::row);
  return old == old_figures().end() ? "" : fmt::format("{}: {:.3f} s", old->title, old->seconds);
}

std::vector<Column> columns_for(const Options& options) {
  using Row = RowResult;
  return {
      {"", 29, [](const Row& row) { return row.row->title; }, true},
      {"seconds", 8, [](const Row& row) { return fmt::format("{:.3f}", row.median(&Measured::seconds)); }},
      {"Mbit/s", 7,
       [options](const Row& row) {
         return fmt::format("{:.1f}", megabits_per_second(options, row.median(&Measured::seconds)));
       }},
      {"ratio", 6,
       [](const Row& row) {
         return row.ratios.empty() ? std::string() : fmt::format("{:.3f}", bench::median(row.ratios));
       }},
      {"stall ms", 8, [](const Row& row) { return median_of(all_of(row, &Measured::stall_ms)); }},
      {"pause ms", 8, [](const Row& row) { return median_of(all_of(row, &Measured::pause_ms)); }},
      {"other end's", 11, [](const Row& row) { return median_of(all_of(row, &Measured::staying_pause_ms)); }},
      {"round trip us", 13,
       [](const Row& row) { return row.round_trip_us ? fmt::format("{:.0f}", *row.round_trip_us) : ""; }},
      {"CPU s/GB", 8, [](const Row& row) { return fmt::format("{:.2f}", row.cpu_s_per_gb); }},
      {"bytes by home", 13,
       [](const Row& row) {
         const auto passed = home_bytes(row);
         return passed ? std::to_string(*passed) : "";
       }},
      {"timeouts", 8, [](const Row& row) { return std::to_string(timeouts(row)); }},
      {"in 2002", 41, old_figure_beside, true},
  };
}

std::string processor() {
  std::ifstream cpuinfo("/proc/cpuinfo");
  for (std::string line; std::getline(cpuinfo, line);)
    if (line.starts_with("model name")) return line.substr(line.find(':') + 2);
  return "unknown processor";
}

Json machine() {
  utsname name{};
  ::uname(&name);
  return {{"kernel", name.release}, {"processor", processor()}, {"cpus", ::sysconf(_SC_NPROCESSORS_ONLN)}};
}

Result<> write_file(const std::filesystem::path& path, const std::string& text) {
  std::ofstream out(path);
  out << text;
  out.close();
  if (out) return {};
  return failure(ErrorCode::internal, "can't write " + path.string());
}

std::string bars(const Results& results) {
  constexpr double width = 900, left = 230, right = 120, step = 28, top = 50;
  double most = 0;
  for (const RowResult& result : results.rows) most = std::max(most, result.median(&Measured::seconds));
  const double height = top + step * static_cast<double>(results.rows.size()) + 20;
  std::string out = fmt::format(
      "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {0} {1}' font-family='sans-serif' "
      "font-size='12'>\n"
      "<rect width='100%' height='100%' fill='white'/>\n"
      "<text x='20' y='24' font-size='14'>{2} MB, {3}: seconds, median of {4}</text>\n",
      width, height, results.options.megabytes, link(results.options), results.options.rounds);
  double y = top;
  for (const RowResult& result : results.rows) {
    const double seconds = result.median(&Measured::seconds);
    const double length = seconds / most * (width - left - right);
    const bool swaps = result.row->course.moves != Course::Moves::none;
    out += fmt::format(
        "<text x='{}' y='{:.0f}' text-anchor='end'>{}</text><rect x='{}' y='{:.0f}' width='{:.1f}' "
        "height='18' "
        "fill='{}'/><text x='{:.1f}' y='{:.0f}'>{:.3f} s</text>\n",
        left - 10, y + 13, result.row->title, left, y, length, swaps ? "#1f6feb" : "#8c959f",
        left + length + 6, y + 13, seconds);
    y += step;
  }
  return out + "</svg>\n";
}

// As the demo draws it.
std::string throughput(const Results& results, const RowResult& result) {
  const Measured& measured = typical(result);
  demo::Transfer transfer;
  transfer.program = result.row->title;
  transfer.bytes = results.options.megabytes * 1'000'000;
  for (const Sample& sample : measured.samples)
    transfer.samples.push_back({sample.at_s * 1000, sample.bytes});
  if (measured.moved_at_s)
    transfer.moves.push_back({.from = "beta",
                              .to = "gamma",
                              .at_ms = *measured.moved_at_s * 1000,
                              .pause_ms = measured.pause_ms.value_or(measured.stall_ms),
                              .steps = {}});
  return demo::chart(transfer);
}

}  // namespace

Json to_json(const Results& results) {
  Json rows = Json::object();
  for (const RowResult& result : results.rows) {
    Json row{{"title", result.row->title},
             {"seconds", bench::summary(all_of(result, &Measured::seconds))},
             {"megabits_per_second", megabits_per_second(results.options, result.median(&Measured::seconds))},
             {"ratio", result.ratios.empty() ? Json() : Json(bench::median(result.ratios))},
             {"ratios", result.ratios},
             {"stall_ms", bench::summary(all_of(result, &Measured::stall_ms))},
             {"stall_at_s", bench::summary(all_of(result, &Measured::stall_at_s))},
             {"moved_at_s", bench::summary(all_of(result, &Measured::moved_at_s))},
             {"pause_ms", bench::summary(all_of(result, &Measured::pause_ms))},
             {"staying_pause_ms", bench::summary(all_of(result, &Measured::staying_pause_ms))},
             {"cpu_s_per_gb", result.cpu_s_per_gb},
             {"round_trip_us", result.round_trip_us ? Json(*result.round_trip_us) : Json()},
             {"home_bytes", home_bytes(result) ? Json(*home_bytes(result)) : Json()},
             {"timeouts", timeouts(result)}};
    rows[result.row->name] = std::move(row);
  }
  Json old = Json::array();
  for (const OldFigure& figure : old_figures())
    old.push_back({{"title", figure.title},
                   {"seconds", figure.seconds},
                   {"megabits_per_second", figure.megabits_per_second},
                   {"row", figure.row}});
  return {{"rows", rows},
          {"of_2002", old},
          {"megabytes", results.options.megabytes},
          {"link_bits_per_second", results.options.rate},
          {"round_trip_added_ms", static_cast<double>(results.options.round_trip.count()) / 1e6},
          {"rounds", results.options.rounds},
          {"lanes", results.options.lanes},
          {"took_s", results.took_s},
          {"machine", machine()}};
}

std::string to_table(const Results& results) {
  const Options& options = results.options;
  std::string out =
      fmt::format("{} MB, {}; medians of {} rounds.\n\n", options.megabytes, link(options), options.rounds);
  const std::vector<Column> columns = columns_for(options);
  const auto line = [&](const auto& cell) {
    for (const Column& column : columns) out += fmt::format("| {} ", cell(column));
    out += "|\n";
  };
  line([](const Column& column) { return column.aligned(column.title); });
  line([](const Column& column) {
    return std::string(column.width - 1, '-') + (column.is_text ? '-' : ':');  // to the right
  });
  for (const RowResult& result : results.rows)
    line([&](const Column& column) { return column.aligned(column.cell(result)); });
  return out;
}

Result<> write(const Results& results, const std::filesystem::path& folder, const std::string& name) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) return system_failure(error.value(), "make the folder " + folder.string());
  const Json on = machine();
  std::string text = fmt::format("# {}\n\n{}\n", link(results.options), to_table(results));
  text += fmt::format("\nLinux {}, {}, {} CPUs; {:.0f} s, {} rows at a time.\n\n![seconds]({}-bars.svg)\n",
                      on["kernel"].get<std::string>(), on["processor"].get<std::string>(),
                      on["cpus"].get<int>(), results.took_s, results.options.lanes, name);
  SOCKSWAP_CHECK(write_file(folder / (name + "-bars.svg"), bars(results)));
  for (const RowResult& result : results.rows) {
    const std::string chart = fmt::format("{}-{}.svg", name, result.row->name);
    SOCKSWAP_CHECK(write_file(folder / chart, throughput(results, result)));
    text += fmt::format("\n![{}]({})\n", result.row->title, chart);
  }
  return write_file(folder / (name + ".md"), text);
}

}  // namespace sockswap::thesis
