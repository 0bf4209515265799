#include "cli/output/table.h"

#include <gtest/gtest.h>

#include <csignal>
#include <sstream>

#include "cli/output/text.h"

namespace sockswap::cli {
namespace {

const Painter bare(Painter::Colour::off);

void expect_fits(const std::string& text) {
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    EXPECT_LE(width(line), page_width) << line;
    EXPECT_FALSE(line.ends_with(' ')) << line;
  }
}

TEST(Table, AlignsBothWays) {
  Table table({{"NAME", 10}, {"SIZE", 6, Column::Align::right}, {"NOTE", 10}});
  table.row({"a", "1", ""});
  table.row({"bcd", "", "x"});
  table.row({"", "12345", "µ"});
  EXPECT_EQ(table.text(bare),
            "NAME   SIZE  NOTE\n"
            "a         1\n"
            "bcd          x\n"
            "      12345  µ\n");
}

TEST(Table, CutsLongCellsAndGivesTheFirstItsOwnLine) {
  Table table({{"KEY", 5}, {"VALUE", 6}});
  table.row({"abcdefgh", "0123456789"});
  table.row({"abc", "µµµµµµ"});
  EXPECT_EQ(table.text(bare),
            "KEY  VALUE\n"
            "abcdefgh\n"
            "     01234…\n"
            "abc  µµµµµµ\n");
}

TEST(Table, ColoursDontShiftColumns) {
  Table table({{"A", 5}, {"B", 5}});
  table.row({Cell("x", Paint::bad), "y"});
  table.row({"xyz", "y"});
  EXPECT_EQ(table.text(Painter(Painter::Colour::on)),
            "\x1b[1mA\x1b[0m    \x1b[1mB\x1b[0m\n"
            "\x1b[31mx\x1b[0m    y\n"
            "xyz  y\n");
}

TEST(TableDeath, ColumnsThatCantFitAreAProgrammingError) {
  EXPECT_DEATH((std::signal(SIGABRT, SIG_DFL), Table({{"A", 60}, {"B", 60}})),
               "");  // no report: tests/watch/watched
}

// Everything at its longest: IPv6 addresses in full, names of 63 letters.
TEST(Pages, FitWhateverIsInThem) {
  const TextOutput output(TextOutput::Target::file, Painter::Colour::off);
  const std::string name(63, 'n');
  std::string sentence;
  for (int i = 0; i < 60; ++i) sentence += "reason ";
  const Endpoint wide = *Endpoint::parse("[fd11:2222:3333:4444:5555:6666:7777:8888]:65535");
  const FourTuple tuple{wide, wide};
  expect_fits(output.render(ConnectionList{{{.tuple = tuple,
                                             .state = "established",
                                             .uid = 0,
                                             .receive_queue_bytes = 0,
                                             .send_queue_bytes = 0,
                                             .peer = name,
                                             .processes = {{4194304, "fifteen-letters", {}}, {1, "x", {}}},
                                             .receiver = name,
                                             .immovable = sentence}}}));
  expect_fits(output.render(HostList{{{.name = name,
                                       .addresses = {wide.address, wide.address},
                                       .port = 65535,
                                       .state = "not-connected",
                                       .round_trip_us = 999'999,
                                       .error = sentence}}}));
  MoveRecord move{.move_id = std::string(32, 'f'),
                  .role = "destination",
                  .state = "not-known-yet",
                  .origin = name,
                  .destination = name,
                  .receiver = name,
                  .ends = std::vector<FourTuple>(1000, tuple),
                  .steps = {},
                  .error = Error{.code = ErrorCode::lost, .message = sentence, .hint = "", .sys_errno = 0},
                  .began_unix_us = 1,
                  .pause_us = 999'999};
  for (int i = 0; i < 20; ++i) move.steps.push_back({"rebuilding", 123456.7 * i});
  expect_fits(output.render(MoveList{{move}}));
  expect_fits(output.render(MoveResult{
      .tuple = tuple, .to = "gamma", .move_id = move.move_id, .pause_us = 1e6, .steps = move.steps}));
  expect_fits(output.render(FeatureReport{
      {{.name = name, .available = false, .required = true, .reason = sentence, .hint = sentence}}}));
}

}  // namespace
}  // namespace sockswap::cli
