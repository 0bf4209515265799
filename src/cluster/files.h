// Small files, written whole or not at all: a temporary file in the same folder, synced and renamed.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <string>
#include <string_view>

#include "base/result.h"

namespace sockswap::cluster {

inline constexpr mode_t public_mode = 0644;
inline constexpr mode_t secret_mode = 0600;

enum class Existing { refuse, replace };

// not_found if there is no such file; too_large beyond 1 MiB, which nothing of a cluster's reaches.
Result<std::string> read_file(const std::filesystem::path& file);

// A secret never exists under a wider mode, not for an instant. A failure leaves what was there.
Result<> write_file(const std::filesystem::path& file, std::string_view text, mode_t mode, Existing existing);

// Renames without ever replacing anything, and syncs the folder.
Result<> publish(const std::filesystem::path& from, const std::filesystem::path& to);

}  // namespace sockswap::cluster
