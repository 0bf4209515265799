// A temporary folder that goes with its owner.
#pragma once

#include <filesystem>
#include <string_view>
#include <utility>

#include "base/result.h"

namespace sockswap::lab {

class Scratch {
 public:
  // /tmp/NAME-XXXXXX, mode 0700; every host of a lab sees it.
  static Result<Scratch> make(std::string_view name);
  Scratch(Scratch&& other) noexcept : path_(std::exchange(other.path_, {})) {}
  Scratch& operator=(Scratch&&) = delete;
  ~Scratch();

  const std::filesystem::path& path() const { return path_; }

 private:
  explicit Scratch(std::filesystem::path path) : path_(std::move(path)) {}
  std::filesystem::path path_;
};

}  // namespace sockswap::lab
