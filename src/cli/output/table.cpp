#include "cli/output/table.h"

#include <algorithm>
#include <cstdlib>

namespace sockswap::cli {
namespace {

constexpr std::size_t gap = 2;
constexpr std::size_t note_indent = 4;

std::string_view start_of(Paint paint) {
  switch (paint) {
    case Paint::plain: return "";
    case Paint::title: return "\x1b[1m";
    case Paint::good: return "\x1b[32m";
    case Paint::warning: return "\x1b[33m";
    case Paint::bad: return "\x1b[31m";
    case Paint::faint: return "\x1b[2m";
  }
  return "";
}

}  // namespace

std::string Painter::operator()(std::string_view text, Paint paint) const {
  if (colour_ == Colour::off || paint == Paint::plain || text.empty()) return std::string(text);
  return std::string(start_of(paint)).append(text).append("\x1b[0m");
}

Table::Table(std::vector<Column> columns) : columns_(std::move(columns)) {
  std::size_t total = gap * (columns_.size() - 1);
  for (const Column& column : columns_) total += column.widest;
  if (total > page_width) std::abort();
}

void Table::row(std::vector<Cell> cells) {
  if (cells.size() != columns_.size()) std::abort();
  rows_.push_back({std::move(cells), {}});
}

void Table::note(Cell text) { rows_.back().notes.push_back(std::move(text)); }

std::vector<std::size_t> Table::widths() const {
  std::vector<std::size_t> out;
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    std::size_t wide = width(columns_[i].title);
    for (const Row& row : rows_) {
      const std::size_t cell = width(row.cells[i].text);
      // An over-long first cell has its own line and says nothing about the column.
      if (i > 0 || cell <= columns_[i].widest) wide = std::max(wide, cell);
    }
    out.push_back(std::min(wide, columns_[i].widest));
  }
  return out;
}

void Table::add_line(std::string& out, const std::vector<Cell>& cells, const std::vector<std::size_t>& widths,
                     const Painter& painter) const {
  std::string line;
  std::size_t owed = 0;  // blanks that are written only if something follows them
  for (std::size_t i = 0; i < cells.size(); ++i) {
    std::string text = cells[i].text;
    if (i == 0 && width(text) > widths[0]) {
      out += painter(text, cells[0].paint) + '\n';
      text.clear();
    }
    text = shortened(text, widths[i]);
    const std::size_t padding = widths[i] - width(text);
    const bool right = columns_[i].align == Column::Align::right;
    if (right) owed += padding;
    if (!text.empty()) {
      line.append(owed, ' ').append(painter(text, cells[i].paint));
      owed = 0;
    }
    if (!right) owed += padding;
    owed += gap;
  }
  out += line + '\n';
}

std::string Table::text(const Painter& painter) const {
  const std::vector<std::size_t> wide = widths();
  std::string out;
  std::vector<Cell> titles;
  for (const Column& column : columns_) titles.emplace_back(column.title, Paint::title);
  add_line(out, titles, wide, painter);
  for (const Row& row : rows_) {
    add_line(out, row.cells, wide, painter);
    for (const Cell& note : row.notes)
      for (const std::string& line : wrapped(note.text, page_width - note_indent))
        out += std::string(note_indent, ' ') + painter(line, note.paint) + '\n';
  }
  return out;
}

}  // namespace sockswap::cli
