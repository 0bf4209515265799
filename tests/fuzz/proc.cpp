// /proc/PID/stat and status: the kernel writes them, but the process chooses what it is called.
#include "process/proc.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>

#include "base/fd.h"
#include "input.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sockswap;
  using namespace sockswap::fuzz;
  static const ScratchFolder scratch;
  static const Fd folder(::open(scratch.path().c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  for (const char* name : {"stat", "status"}) {
    const Fd file(::openat(folder.get(), name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
    require(file && ::write(file.get(), data, size) == static_cast<ssize_t>(size), "a file");
  }
  const auto stat = process::read_stat(folder.get());
  require(stat.has_value(), "a file that is there can be read");
  if (*stat)
    require(std::ranges::all_of((*stat)->command, [](char c) { return c >= ' ' && c <= '~'; }),
            "a command's name can be printed");
  for (const char* field : {"Tgid", "TracerPid"})
    static_cast<void>(process::read_status(folder.get(), field));
  return 0;
}
