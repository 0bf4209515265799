#include "keep/kept.h"

namespace sockswap::keep {

std::string_view name(Stage stage) {
  switch (stage) {
    case Stage::frozen: return "frozen";
    case Stage::reserved: return "reserved";
    case Stage::rebuilt: return "rebuilt";
    case Stage::let_go: return "let go";
    case Stage::found: return "found";
    case Stage::held: return "held";
    case Stage::swapped: return "swapped";
    case Stage::resumed: return "resumed";
    case Stage::undone: return "undone";
  }
  return "";
}

}  // namespace sockswap::keep
