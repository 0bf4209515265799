// What a guest's PID 1 does before anybody calls it.
#pragma once

#include <filesystem>

#include "base/fd.h"
#include "base/result.h"

namespace sockswap::lab::guest {

// A guest is told in a file what it is:
//
//   {"name": HOSTNAME, "modules": [PATH, …], "sysctls": {KEY: VALUE, …}, "ip": SCRIPT, "agent": [ADDRESS,
//   PORT]}
//
// SCRIPT is of `ip -batch`; modules are loaded in that order. Leaves the kernel with what a host has: mounts,
// name, network. Gives the socket on which the agent listens.
Result<Fd> boot(const std::filesystem::path& description);

}  // namespace sockswap::lab::guest
