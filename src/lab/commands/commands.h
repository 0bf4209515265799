// The verbs of `sockswap-lab`: each registers its options; main runs the one that was asked for.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>

#include "base/result.h"

namespace sockswap::lab {

// What a verb does, and with which exit status it ends if it doesn't fail.
using Verb = std::function<Result<int>()>;

Verb add_up(CLI::App& app);
Verb add_enter(CLI::App& app);
Verb add_ls(CLI::App& app);
Verb add_down(CLI::App& app);

}  // namespace sockswap::lab
