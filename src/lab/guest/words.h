// How a guest's agent and its callers talk: JSON objects, a line each.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "base/fd.h"

namespace sockswap::lab::guest {

// In one send(). false: the other side has gone.
bool say(const Fd& line, const nlohmann::json& words);

// The first whole line of `unread`, taken from it; nothing if there is none yet. What is no JSON is
// discarded().
std::optional<nlohmann::json> take_line(std::string& unread);

}  // namespace sockswap::lab::guest
