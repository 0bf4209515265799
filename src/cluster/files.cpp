#include "cluster/files.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "base/fd.h"

namespace sockswap::cluster {
namespace {

constexpr std::size_t largest_file = 1 << 20;

tl::unexpected<Error> failed(std::string_view verb, const std::filesystem::path& file) {
  const int error = errno;
  return system_failure(error, fmt::format("{} {}", verb, file.native()),
                        error == ENOENT ? ErrorCode::not_found : ErrorCode::internal);
}

// Takes a temporary file away again unless it has become the real one.
class Temporary {
 public:
  explicit Temporary(std::filesystem::path path) : path_(std::move(path)) {}
  Temporary(const Temporary&) = delete;
  Temporary& operator=(const Temporary&) = delete;
  ~Temporary() {
    if (!path_.empty()) ::unlink(path_.c_str());
  }
  const std::filesystem::path& path() const { return path_; }
  void commit() { path_.clear(); }

 private:
  std::filesystem::path path_;
};

Result<> sync_folder(const std::filesystem::path& file) {
  const std::filesystem::path folder = file.has_parent_path() ? file.parent_path() : ".";
  const Fd fd(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd || ::fsync(fd.get()) != 0) return failed("sync", folder);
  return {};
}

}  // namespace

Result<std::string> read_file(const std::filesystem::path& file) {
  const Fd fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) return failed("read", file);
  std::string out(largest_file + 1, '\0');
  std::size_t size = 0;
  while (size < out.size()) {
    const ssize_t got = ::read(fd.get(), out.data() + size, out.size() - size);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return failed("read", file);
    if (got == 0) break;
    size += static_cast<std::size_t>(got);
  }
  if (size > largest_file)
    return failure(ErrorCode::too_large,
                   fmt::format("{} is larger than {} bytes", file.native(), largest_file));
  out.resize(size);
  return out;
}

Result<> write_file(const std::filesystem::path& file, std::string_view text, mode_t mode,
                    Existing existing) {
  std::string pattern = file.native() + ".XXXXXX";
  const Fd fd(::mkostemp(pattern.data(), O_CLOEXEC));  // creates it with mode 0600
  if (!fd) return failed("create", pattern);
  Temporary temporary(pattern);
  while (!text.empty()) {
    const ssize_t written = ::write(fd.get(), text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return failed("write", temporary.path());
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  if (::fchmod(fd.get(), mode) != 0 || ::fsync(fd.get()) != 0) return failed("write", temporary.path());
  if (existing == Existing::refuse) {
    SOCKSWAP_CHECK(publish(temporary.path(), file));
  } else {
    if (::rename(temporary.path().c_str(), file.c_str()) != 0) return failed("replace", file);
    SOCKSWAP_CHECK(sync_folder(file));
  }
  temporary.commit();
  return {};
}

Result<> publish(const std::filesystem::path& from, const std::filesystem::path& to) {
  if (::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) != 0) {
    if (errno == EEXIST)
      return failure(ErrorCode::usage, fmt::format("{} exists already and was left as it is", to.native()));
    return failed("create", to);
  }
  return sync_folder(to);
}

}  // namespace sockswap::cluster
