// One file through one connection whose receiving end moves three times.
#pragma once

#include "demo/demo.h"
#include "demo/source_file.h"
#include "lab/cluster.h"

namespace sockswap::demo {

// Told of what happens, for the live display.
struct Witness {
  std::function<void(std::uint64_t bytes, double megabits_per_second, const std::string& host)> progress;
  std::function<void(const Move&)> moved;
};

// `program`: socat, nc or another that sender_of() knows.
Result<Transfer> transfer(lab::Cluster& cluster, const Options& options, const std::string& program,
                          const SourceFile& file, const Witness& witness);

}  // namespace sockswap::demo
