#include "lab/private_files.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <filesystem>

#include "base/fd.h"

namespace sockswap::lab {
namespace {

constexpr std::array<std::string_view, 2> kOverlaid{"/etc", "/var/lib"};

Result<> make_folders(const std::string& path) {
  std::error_code error;
  std::filesystem::create_directories(path, error);
  if (error) return system_failure(error.value(), "make folder " + path);
  return {};
}

Result<> overlay(const std::string& folder, const std::string& disk) {
  const std::string upper = disk + folder + "/upper";
  const std::string work = disk + folder + "/work";
  SOCKSWAP_CHECK(make_folders(upper));
  SOCKSWAP_CHECK(make_folders(work));
  const std::string options = fmt::format("lowerdir={},upperdir={},workdir={}", folder, upper, work);
  if (::mount("lab", folder.c_str(), "overlay", 0, options.c_str()) != 0) {
    auto error = system_error(errno, "overlay a host's " + folder, ErrorCode::unsupported);
    error.hint = "the kernel needs overlayfs: modprobe overlay";
    return failure(std::move(error));
  }
  return {};
}

bool is_private(std::string_view path) {
  if (path.find("/../") != std::string_view::npos) return false;
  if (path.starts_with("/run/")) return true;
  for (const std::string_view folder : kOverlaid)
    if (path.starts_with(std::string(folder) + "/")) return true;
  return false;
}

}  // namespace

Result<> mount_private_folders(const std::string& disk) {
  for (const std::string_view folder : kOverlaid) SOCKSWAP_CHECK(overlay(std::string(folder), disk));
  if (::mount("lab", "/run", "tmpfs", MS_NOSUID | MS_NODEV, "mode=755") != 0)
    return system_failure(errno, "mount a host's /run");
  for (const char* folder : {"/run/sockswap", "/run/lock", "/etc/sockswap"})
    SOCKSWAP_CHECK(make_folders(folder));
  return {};
}

Result<> write_private_file(const std::string& path, std::string_view content, mode_t mode) {
  if (!is_private(path))
    return failure(ErrorCode::usage, fmt::format("{} is the machine's, not a host's own", path),
                   "a host's own folders are /etc, /var/lib and /run");
  SOCKSWAP_CHECK(make_folders(std::filesystem::path(path).parent_path()));
  const Fd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode));
  if (!file) return system_failure(errno, "create " + path);
  ::fchmod(file.get(), mode);  // whatever the umask, and if the file was there before
  while (!content.empty()) {
    const ssize_t written = ::write(file.get(), content.data(), content.size());
    if (written < 0) return system_failure(errno, "write " + path);
    content.remove_prefix(static_cast<std::size_t>(written));
  }
  return {};
}

}  // namespace sockswap::lab
