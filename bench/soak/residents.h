// What sockswap has on a lab host at an instant: its processes with their memory, threads and descriptors,
// its files, the TCP sockets in the kernel's table, the firewall's rules. Found by looking, not by asking
// sockswap.
#pragma once

#include <map>
#include <string>

#include "lab/host.h"

namespace sockswap::soak {

// Figures by name, such as "alpha.sockswapd.descriptors". Those whose name ends in "_kib" may waver.
using Figures = std::map<std::string, double>;

// A process counts if its executable's name begins with "sockswap", wherever it was started from; the host's
// init doesn't. Processes of one name are added up.
Result<Figures> residents(lab::Host& host);

}  // namespace sockswap::soak
