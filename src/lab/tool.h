// The system's own programs (ip, tc, nft), run where a thread lives.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "lab/namespaces.h"

namespace sockswap::lab {

// Feeds `input` to the program and returns what it printed; an exit status other than 0 is an error that
// carries what the program said.
Result<std::string> run_tool(NamespaceThread& where, std::vector<std::string> argv,
                             std::string_view input = {});

inline Result<> run_ip(NamespaceThread& where, std::string_view batch) {
  SOCKSWAP_CHECK(run_tool(where, {"ip", "-batch", "-"}, batch));
  return {};
}
inline Result<> run_nft(NamespaceThread& where, std::string_view script) {
  SOCKSWAP_CHECK(run_tool(where, {"nft", "-f", "-"}, script));
  return {};
}

// Until then a device that is up drops what it is given: the kernel activates it in a work item of its own
// (linkwatch_event), which on a busy machine comes hundreds of milliseconds later.
Result<> wait_until_operational(NamespaceThread& where, const std::string& device);

// Writes a value to /proc/sys/KEY (with slashes) of the network in which the thread lives.
Result<> set_sysctl(NamespaceThread& where, const std::string& key, std::string_view value);

}  // namespace sockswap::lab
