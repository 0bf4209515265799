#include "cli/output/printable.h"

#include <fmt/format.h>

#include <algorithm>

namespace sockswap::cli {
namespace {

bool is_continuation(char byte) { return (static_cast<unsigned char>(byte) & 0xc0) == 0x80; }

struct CodePoint {
  char32_t value = 0;
  std::size_t bytes = 0;  // 0: not UTF-8
};

// The code point that `text` begins with. Overlong forms, surrogates and values beyond U+10FFFF are not
// UTF-8 (RFC 3629, section 3).
CodePoint first_code_point(std::string_view text) {
  const auto lead = static_cast<unsigned char>(text.front());
  if (lead < 0x80) return {lead, 1};
  const std::size_t bytes = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  if (lead < 0xc2 || lead > 0xf4 || text.size() < bytes) return {};
  char32_t value = lead & (0xff >> (bytes + 1));
  for (std::size_t i = 1; i < bytes; ++i) {
    if (!is_continuation(text[i])) return {};
    value = value << 6 | (static_cast<unsigned char>(text[i]) & 0x3f);
  }
  constexpr char32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
  if (value < smallest[bytes] || (value >= 0xd800 && value <= 0xdfff) || value > 0x10ffff) return {};
  return {value, bytes};
}

// C0, DEL and C1; and what reorders the text around it (U+202A–202E, U+2066–2069).
bool drives_a_terminal(char32_t value) {
  return value < 0x20 || (value >= 0x7f && value < 0xa0) || (value >= 0x202a && value <= 0x202e) ||
         (value >= 0x2066 && value <= 0x2069);
}

}  // namespace

std::string printable(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const CodePoint point = first_code_point(text);
    const bool fit = point.bytes > 0 && !drives_a_terminal(point.value);
    if (fit)
      out += text.substr(0, point.bytes);
    else
      out += '?';
    text.remove_prefix(std::max<std::size_t>(point.bytes, 1));
  }
  return out;
}

std::size_t width(std::string_view text) {
  return static_cast<std::size_t>(
      std::ranges::count_if(text, [](char byte) { return !is_continuation(byte); }));
}

std::string shortened(std::string_view text, std::size_t columns) {
  if (width(text) <= columns) return std::string(text);
  std::size_t kept = 0;
  for (std::size_t column = 0; column + 1 < columns; ++column)
    kept += first_code_point(text.substr(kept)).bytes;
  return std::string(text.substr(0, kept)) + "…";
}

// Those that kept words together have done so; whoever searches the text looks for ordinary ones.
static std::string with_ordinary_blanks(std::string_view line) {
  std::string out;
  for (std::size_t at = 0; (at = line.find(unbreakable_blank)) != std::string_view::npos;) {
    out.append(line.substr(0, at)).push_back(' ');
    line.remove_prefix(at + unbreakable_blank.size());
  }
  return out.append(line);
}

std::vector<std::string> wrapped(std::string_view text, std::size_t columns) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    const std::size_t blank = std::min(text.find(' '), text.size());
    const std::string_view word = text.substr(0, blank);
    text.remove_prefix(std::min(blank + 1, text.size()));
    if (word.empty()) continue;
    if (!lines.empty() && width(lines.back()) + 1 + width(word) <= columns)
      lines.back().append(" ").append(word);
    else
      lines.emplace_back(word);
  }
  for (std::string& line : lines) line = with_ordinary_blanks(line);
  return lines;
}

std::string duration(double us) {
  if (us < 1e3) return fmt::format("{:.0f} µs", us);
  if (us < 1e6) return fmt::format("{:.2f} ms", us / 1e3);
  return fmt::format("{:.2f} s", us / 1e6);
}

}  // namespace sockswap::cli
