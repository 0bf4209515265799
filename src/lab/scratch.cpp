#include "lab/scratch.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstdlib>

namespace sockswap::lab {

Result<Scratch> Scratch::make(std::string_view name) {
  std::string pattern = (std::filesystem::temp_directory_path() / fmt::format("{}-XXXXXX", name)).string();
  if (::mkdtemp(pattern.data()) == nullptr)
    return system_failure(errno, "make a temporary folder", ErrorCode::no_resources);
  return Scratch(pattern);
}

Scratch::~Scratch() {
  std::error_code ignored;
  if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
}

}  // namespace sockswap::lab
