// A large file made of the machine's own files, so that its bytes are no pattern.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "base/result.h"

namespace sockswap::demo {

struct SourceFile {
  std::filesystem::path path;
  std::uint64_t bytes = 0;
  std::string sha256;  // hex
};

// Copies files of /usr one after the other into `path` until it has `bytes` bytes.
Result<SourceFile> make_source_file(const std::filesystem::path& path, std::uint64_t bytes);

}  // namespace sockswap::demo
