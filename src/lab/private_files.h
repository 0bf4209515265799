// A host's file system: the machine's, but for the folders that hosts must not share.
//
//   /etc, /var/lib   an overlay over the machine's; survives power_off(), as a disk does
//   /run             empty at every power_on(); has /run/sockswap and /run/lock
#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>

#include "base/result.h"

namespace sockswap::lab {

// Called on a host's thread; `disk` is the host's folder in the /run of the lab's mount namespace, from
// which the host's was copied. What is mounted here goes with the host.
Result<> mount_private_folders(const std::string& disk);

// Writes a file, with the folders above it, on the calling thread's host. A path outside the private folders
// is refused: it would change the machine.
Result<> write_private_file(const std::string& path, std::string_view content, mode_t mode);

}  // namespace sockswap::lab
