// The throughput of a transfer over time, with its moves, as an SVG picture.
#pragma once

#include <string>

#include "demo/demo.h"

namespace sockswap::demo {

std::string chart(const Transfer& transfer);

}  // namespace sockswap::demo
