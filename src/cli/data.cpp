#include "cli/data.h"

#include <algorithm>

namespace sockswap::cli {

bool FeatureReport::sufficient() const {
  return std::ranges::all_of(features, [](const check::Feature& it) { return it.available || !it.required; });
}

}  // namespace sockswap::cli
