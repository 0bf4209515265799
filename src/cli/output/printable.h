// Text from elsewhere (process names, other hosts' messages) made fit for a terminal.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace sockswap::cli {

// Control characters and broken UTF-8 become '?': a process may be called anything, escape sequences
// included, and its name must not drive the operator's terminal. The result is one line of valid UTF-8.
std::string printable(std::string_view text);

// Columns that `text`, which is valid UTF-8, takes up: one a code point. Wide scripts are not considered.
std::size_t width(std::string_view text);

// At most `columns` wide; what was cut is shown by "…".
std::string shortened(std::string_view text, std::size_t columns);

// Broken at blanks into lines of at most `columns`; a longer word has a line for itself.
inline constexpr std::string_view unbreakable_blank = "\u00a0";  // an ordinary one in the lines
std::vector<std::string> wrapped(std::string_view text, std::size_t columns);

// "85 µs", "1.62 ms", "2.31 s"
std::string duration(double us);

}  // namespace sockswap::cli
