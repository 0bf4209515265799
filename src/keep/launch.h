// How a keeper comes to be: its socket, and the program behind it.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/fd.h"
#include "base/result.h"

namespace sockswap::keep {

// A socket that listens at `path`, for this user only. What a keeper that is gone left there is removed. busy
// if somebody listens there.
Result<Fd> listen_at(const std::filesystem::path& path);

// Starts `program` as a process of its own that outlives this one: no child of it, in a session of its own,
// with its standard output and error as they are here, and `listener` passed as sd_listen_fds(3) has it. So
// it can be connected to at once. An error if the program couldn't be started. To be called before there are
// threads.
Result<> start_keeper(const std::filesystem::path& program, const std::vector<std::string>& arguments,
                      const Fd& listener);

}  // namespace sockswap::keep
