// Tables for people: aligned columns, never wider than 100.
#pragma once

#include <concepts>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "cli/output/printable.h"

namespace sockswap::cli {

inline constexpr std::size_t page_width = 100;

enum class Paint { plain, title, good, warning, bad, faint };

// Colours if they are wanted, the bare text otherwise.
class Painter {
 public:
  enum class Colour { off, on };
  explicit Painter(Colour colour) : colour_(colour) {}
  std::string operator()(std::string_view text, Paint paint) const;

 private:
  Colour colour_;
};

struct Column {
  enum class Align { left, right };
  std::string title;
  std::size_t widest;  // longer cells are cut, those of the first column get a line for themselves
  Align align = Align::left;
};
struct Cell {
  // Makes the text printable. Implicit: most cells of a row are plain text.
  template <std::convertible_to<std::string_view> Text>
  Cell(const Text& content, Paint with = Paint::plain) : text(printable(content)), paint(with) {}

  std::string text;
  Paint paint;
};

class Table {
 public:
  // The widest widths and the gaps between them must fit the page: aborts otherwise.
  explicit Table(std::vector<Column> columns);

  void row(std::vector<Cell> cells);  // one for each column
  void note(Cell text);               // below the row before, indented and wrapped
  std::string text(const Painter& painter) const;

 private:
  struct Row {
    std::vector<Cell> cells;
    std::vector<Cell> notes;
  };
  std::vector<std::size_t> widths() const;
  void add_line(std::string& out, const std::vector<Cell>& cells, const std::vector<std::size_t>& widths,
                const Painter& painter) const;

  std::vector<Column> columns_;
  std::vector<Row> rows_;
};

}  // namespace sockswap::cli
